"""Buttons, contacts and pedals: a process of their own, so that a hung or dead daemon swallows no call."""
