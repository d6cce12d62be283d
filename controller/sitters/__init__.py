"""The room's sitters: the register of their PINs, and the desk at which a console signs somebody on."""
