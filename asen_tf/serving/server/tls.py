"""Credentials of a server, from files."""

from pathlib import Path

import grpc


def credentials(certificate: str, key: str, client_ca: str = "") -> grpc.ServerCredentials | None:
    """A server's credentials, None without files.

    Args:
      certificate, key: files in PEM form; the certificate may be followed by its chain.
      client_ca: file in PEM form; clients then need a certificate that one of these signed.

    Raises:
      OSError: a file cannot be read.
      ValueError: one of certificate and key is missing, or a file is not in PEM form.
    """
    if not (certificate or key or client_ca):
        return None
    if not (certificate and key):
        raise ValueError("TLS needs both a certificate and its key")
    return grpc.ssl_server_credentials(
        [(_pem(key), _pem(certificate))],
        root_certificates=_pem(client_ca) if client_ca else None,
        require_client_auth=bool(client_ca),
    )


def _pem(path: str) -> bytes:
    text = Path(path).read_bytes()
    if b"-----BEGIN " not in text:
        raise ValueError(f"{path} is not in PEM form (no line '-----BEGIN ...')")
    return text
