"""Minikube's certificate as cert-manager signs it, and what the documented curl makes of it."""

import datetime
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.manifests.overlays import find
from tests.system import require_program

HOST = "anomaly-detector.local"


def test_the_documented_curl_trusts_minikubes_certificate(tmp_path: Path) -> None:
    require_program("curl", "curl")
    certificate, key = signed_by_itself(find("minikube", "Certificate", "anomaly-detector")["spec"].get("commonName"))
    (tmp_path / "ca.crt").write_bytes(certificate)
    (tmp_path / "tls.pem").write_bytes(key + certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "tls.pem")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=answer, args=(server, tls), daemon=True).start()
        port = server.getsockname()[1]
        place = ["--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/health"]
        command = [
            "curl",
            "-q",
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--cacert",
            tmp_path / "ca.crt",
            *place,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ok"), done.stderr


def answer(server: socket.socket, tls: ssl.SSLContext) -> None:
    """One request; a client that turns away is not our matter."""
    connection, _ = server.accept()
    try:
        with tls.wrap_socket(connection, server_side=True) as client:
            client.recv(4096)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    except OSError:
        connection.close()


def signed_by_itself(name: str | None) -> tuple[bytes, bytes]:
    """Certificate and key, PEM, with the fields that cert-manager's SelfSigned issuer writes for this Certificate."""
    key, now = generate_private_key(SECP256R1()), datetime.datetime.now(datetime.UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=name is None)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.public_bytes(Encoding.PEM), private
