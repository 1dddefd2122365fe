"""Nodes meet, or say who is missing; threads stand for nodes here."""

import importlib.util
import socket
import threading

import pytest

from .. import ROOT

spec = importlib.util.spec_from_file_location(
    'meeting', ROOT / 'tools/_meeting.py'
)
meeting = importlib.util.module_from_spec(spec)
spec.loader.exec_module(meeting)

HERE = '127.0.0.2'  # a loopback address, which the check below lets pass


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(meeting, 'LIMIT_SECONDS', 1.5)
    monkeypatch.setattr(meeting, 'WORD_SECONDS', 0.3)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(('', 0))
        return probe.getsockname()[1]


def nodes(port, *calls):
    """What each node says, all at once.

    Calls are (node, nodes, about), or have the reason of one that cannot.
    """
    said = [None] * len(calls)
    found = (socket.AF_INET, None, None, None, (HERE, port))

    def one(i, node, count, about, failed=''):
        hello = dict(node=node, nodes=count, host=f'host{i}', about=about)
        hello['failed'] = failed
        deadline = meeting.time.monotonic() + meeting.LIMIT_SECONDS
        try:
            if node:
                said[i] = meeting.join(found, hello, deadline)
            else:
                said[i] = meeting.gather(socket.AF_INET, port, hello, deadline)
        except meeting.MeetingError as error:
            said[i] = f'error: {error}'

    threads = [
        threading.Thread(target=one, args=(i, *call))
        for i, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return said


SAME = dict(arguments='train.py a.py')


def test_all_come(port):
    said = nodes(port, (0, 3, SAME), (1, 3, SAME), (2, 3, SAME))
    assert [x.startswith('127.0.0.') for x in said] == [True] * 3


def test_who_is_missing_is_said_on_all(port, capsys):
    said = nodes(port, (0, 4, SAME), (2, 4, SAME))
    assert all('for node 1 3 of 4, which has not come' in x for x in said)
    assert 'waiting: ' in capsys.readouterr().err


@pytest.mark.parametrize('bad', [0, 1])
def test_who_cannot_take_part_is_said_on_all(port, bad):
    calls = [(node, 2, SAME) for node in (0, 1)]
    calls[bad] = (bad, 2, {}, 'no torch')
    assert (
        nodes(port, *calls) == [f'error: node {bad} (host{bad}): no torch'] * 2
    )


def test_a_number_given_twice(port):
    said = nodes(port, (0, 3, SAME), (1, 3, SAME), (1, 3, SAME))
    assert all('NODE_RANK=1 was given twice' in x for x in said)


def test_other_commands(port):
    said = nodes(port, (0, 2, SAME), (1, 2, dict(arguments='b.py')))
    assert all("'b.py' on node 1" in x for x in said)


def test_another_number_of_nodes(port):
    said = nodes(port, (0, 2, SAME), (1, 3, SAME))
    assert all('NNODES is 2 on node 0' in x for x in said)


def test_a_wrong_port(port):
    said = nodes(port, (1, 2, SAME))
    assert 'does not reach the first node at' in said[0]
    assert 'refused' in said[0] and 'same PORT' in said[0]


def test_a_stranger_at_the_port(port):
    server = socket.socket()
    server.bind(('', port))
    server.listen()
    threading.Thread(
        target=lambda: server.accept()[0].sendall(b'HTTP/1.1 400\r\n\r\n'),
        daemon=True,
    ).start()
    said = nodes(port, (1, 2, SAME))
    server.close()
    assert 'is not the first node of this run' in said[0]


@pytest.mark.parametrize(
    'node, address, wanted',
    [
        (1, 'localhost', 'is this machine itself'),
        (1, 'no.such.host.invalid', 'wanted the address of the first node'),
        (2, 'localhost', 'wanted 0 to 1'),
    ],
)
def test_wrong_settings(node, address, wanted):
    with pytest.raises(meeting.MeetingError, match=wanted.replace('is', '.*')):
        meeting.meet(node, 2, address, 29500, SAME)


def test_a_port_that_is_taken(port):
    with socket.socket() as other:
        other.bind(('', port))
        other.listen()
        assert f'PORT={port}' in nodes(port, (0, 2, SAME))[0]


def test_the_interface_of_an_address():
    assert meeting.interface('127.0.0.1') == 'lo'
    assert meeting.interface('192.0.2.1') is None
