"""TLS towards the broker: whom we trust, who we are, and what went wrong as a code."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

_ANOTHER_HOST = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
_OUT_OF_DATE = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED: perhaps it is our clock that is wrong."""


class _Socket(ssl.SSLSocket):
    """One that is closed where its handshake fails, which paho leaves to the collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """`ca_file`: who signed the broker's certificate, in place of those whom this machine trusts anyway.

    `cert_file`, `key_file`: our own certificate, for a broker that asks for one. All are PEM.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def context(self) -> ssl.SSLContext:
        """What to connect with: the broker's certificate and its host's name are checked. Raises OSError."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.sslsocket_class = _Socket
        if self.ca_file is not None:  # a clinic's own authority may lack what newer Pythons ask of public ones
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self.cert_file is not None:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def mistakes(self) -> list[str]:
        """What is wrong with the files, each as "FILE'S NAME HERE: what"."""
        found = []
        for name in ("ca_file", "cert_file", "key_file"):
            file: Path | None = getattr(self, name)
            if file is not None:
                try:
                    file.read_bytes()
                except OSError as error:
                    found.append(f"{name}: {file} cannot be read: {error.strerror}")
        if not found:
            try:
                TlsSettings(self.ca_file).context()
            except OSError:
                found.append(f"ca_file: {self.ca_file} holds no certificate (PEM)")
            else:
                try:
                    self.context()
                except OSError:
                    found.append(
                        f"cert_file: {self.cert_file} and {self.key_file} are no certificate and its key (PEM)"
                    )
        return found


def why_not(error: Exception) -> str:
    """The code for what kept TLS from being spoken, worded in `wording.reasons`; "" for anything else."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _ANOTHER_HOST:
            return "tls_another_host"
        return "tls_out_of_date" if error.verify_code in _OUT_OF_DATE else "tls_untrusted"
    # A broker that speaks none resets the connection, or answers with what is no TLS.
    return "tls_not_spoken" if isinstance(error, ssl.SSLError | ConnectionResetError) else ""
