import subprocess
import sys

from tests.adapters.sound_environ import SECRETS, SOUND

MAKE = "from adapters.asgi import create_app; print(len(create_app().routes))"


def run(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Make the application in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", MAKE], env=environ, capture_output=True, text=True, check=False
    )


def test_making_the_application_connects_to_nothing() -> None:
    """The application is made from the environment alone, with nothing to connect to."""
    made = run({**SOUND, "DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"})

    assert made.returncode == 0, made.stderr
    assert int(made.stdout) > 10


def test_a_faulty_environment_is_reported_without_its_secrets() -> None:
    """Without its settings the application is not made, and no secret is printed."""
    made = run({**SOUND, "PUBLIC_URL": "nowhere"})

    assert made.returncode != 0
    assert "PUBLIC_URL" in made.stderr
    assert not [each for each in SECRETS.values() if each in made.stderr]
