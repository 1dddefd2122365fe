"""The nodes of a run meet before torchrun starts, or say who is missing.

torchrun waits in silence for a node that does not come, and takes two that
have the same number. Here the first node asks every other one for its number,
its host and its command, and tells all of them what is wrong. Each node learns
which of its interfaces the others can reach.
"""

import fcntl
import json
import os
import socket
import struct
import sys
import time

LIMIT_SECONDS = float(os.environ.get('MEETING_SECONDS', 110))
# So long a node that cannot take part tries to tell the others.
TELL_SECONDS = 30
WORD_SECONDS = 15
SIOCGIFADDR = 0x8915  # <linux/sockios.h>
HOST = socket.gethostname()


class MeetingError(Exception):
    """The nodes do not come together; a line for people."""


def meet(node, nodes, address, port, about):
    """Waits for the other nodes.

    Args:
        node: Number of this one.
        nodes: How many there are.
        address: Host of the first one.
        port: A free port there.
        about: What must be the same on all nodes, by name.

    Returns:
        The address of this node that the others reach.

    Raises:
        MeetingError: A node is missing, a number was given twice, the address
            is none, or the commands differ.
    """
    if not 0 <= node < nodes:
        raise MeetingError(
            f'NODE_RANK={node}: wanted 0 to {nodes - 1}, as NNODES={nodes}'
        )
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise MeetingError(
            f'MASTER_ADDR={address!r}: {error.strerror}; wanted the address '
            f'of the first node'
        ) from None
    ip = found[0][4][0]
    if node and (ip.startswith('127.') or ip == '::1'):
        raise MeetingError(
            f'MASTER_ADDR={address!r} is {ip} on {HOST}, which is this '
            f'machine itself; wanted an address of the first node that others '
            f'reach (see /etc/hosts)'
        )
    hello = dict(node=node, nodes=nodes, host=HOST, about=about)
    return come(found[0], port, hello, LIMIT_SECONDS)


def come(found, port, hello, limit):
    """Meets the others as the first node, or as another one."""
    deadline = time.monotonic() + limit
    if hello['node']:
        return join(found, hello, deadline)
    return gather(found[0], port, hello, deadline)


def join(found, hello, deadline):
    """What a node does that is not the first one."""
    family, _, _, _, where = found
    spoken = time.monotonic()
    while True:
        link = socket.socket(family, socket.SOCK_STREAM)
        link.settimeout(5)
        try:
            link.connect(where)
            break
        except OSError as error:
            why = error.strerror or 'no answer'
            link.close()
        now = time.monotonic()
        line = (
            f'node {hello["node"]} ({HOST}) does not reach the first node at '
            f'{where[0]}:{where[1]}: {why}; wanted it started with the same '
            f'PORT, and no firewall between'
        )
        if now > deadline:
            raise MeetingError(line)
        if now - spoken > WORD_SECONDS:
            spoken = now
            print(f'waiting: {line}', file=sys.stderr)
        time.sleep(0.5)
    with link:
        here = link.getsockname()[0]
        try:
            send(link, hello)
            link.settimeout(max(deadline - time.monotonic(), 1) + 5)
            answer = receive(link)
        except (OSError, ValueError) as error:
            raise MeetingError(
                f'what answers at {where[0]}:{where[1]} is not the first '
                f'node of this run ({error}); wanted another PORT'
            ) from None
    if answer.get('error'):
        raise MeetingError(answer['error'])
    return here


def gather(family, port, hello, deadline):
    """What the first node does."""
    links, hosts, wrong, here = {}, {0: HOST}, '', ''
    failed = failure(hello)
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(('', port))
        server.listen(1024)
    except OSError as error:
        raise MeetingError(
            f'PORT={port}: {error.strerror} on {HOST}; wanted a free one'
        ) from None
    spoken = time.monotonic()
    with server:
        server.settimeout(1)
        while len(hosts) < hello['nodes'] and not wrong:
            missing = [n for n in range(hello['nodes']) if n not in hosts]
            line = (
                f'the first node ({HOST}) waits on port {port} for node '
                f'{" ".join(map(str, missing))} of {hello["nodes"]}'
            )
            now = time.monotonic()
            if now > deadline:
                wrong = failed or (
                    f'{line}, which has not come in {LIMIT_SECONDS:.0f} s '
                    f'(MEETING_SECONDS); wanted it started there with '
                    f'NODE_RANK, MASTER_ADDR and PORT'
                )
                break
            if now - spoken > WORD_SECONDS:
                spoken = now
                print(f'waiting: {line}', file=sys.stderr)
            try:
                link, _ = server.accept()
                link.settimeout(5)
                other = receive(link)
                number, host = int(other['node']), str(other['host'])
            except (OSError, ValueError, KeyError, TypeError):
                continue  # nobody, or a stranger
            here = link.getsockname()[0]
            links[len(links)] = link
            wrong = failure(other) or failed or difference(hello, other)
            if not wrong and number in hosts:
                wrong = (
                    f'NODE_RANK={number} was given twice: to '
                    f'{hosts[number]} and to {host}'
                )
            hosts.setdefault(number, host)
        for link in links.values():
            try:
                send(link, dict(error=wrong))
                link.recv(1)  # until the other side has closed
            except OSError:
                pass
            link.close()
    if wrong:
        raise MeetingError(wrong)
    return here


def failure(hello):
    """Why a node cannot take part, or ''."""
    why = hello.get('failed')
    return f'node {hello["node"]} ({hello["host"]}): {why}' if why else ''


def difference(hello, other):
    """How another node was started in another way, or ''."""
    for name in ('nodes', *hello['about']):
        own = hello.get(name, hello['about'].get(name))
        its = other.get(name, other.get('about', {}).get(name))
        if own != its:
            name = 'NNODES' if name == 'nodes' else name
            return (
                f'{name} is {own!r} on node 0 ({hello["host"]}) and {its!r} '
                f'on node {other["node"]} ({other["host"]}); wanted the same'
            )
    return ''


def send(link, message):
    """Sends a message, which ends with a line."""
    link.sendall(json.dumps(message).encode() + b'\n')


def receive(link):
    """A message; ValueError if it is none."""
    data = b''
    while not data.endswith(b'\n'):
        part = link.recv(4096)
        if not part or len(data) > 1 << 20:
            raise ValueError('no message')
        data += part
    message = json.loads(data)
    if not isinstance(message, dict):
        raise ValueError('no message')
    return message


def interface(address):
    """The name of the interface that has an IPv4 address, or None."""
    for _, name in socket.if_nameindex():
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with probe:
            request = struct.pack('256s', name.encode()[:15])
            try:
                answer = fcntl.ioctl(probe.fileno(), SIOCGIFADDR, request)
            except OSError:
                continue
        if socket.inet_ntoa(answer[20:24]) == address.removeprefix('::ffff:'):
            return name
    return None


def settings():
    """NNODES, NODE_RANK and PORT.

    Raises:
        MeetingError: They are no numbers.
    """
    try:
        return (
            int(os.environ.get('NNODES', 1)),
            int(os.environ.get('NODE_RANK', 0)),
            int(os.environ.get('PORT', 29500)),
        )
    except ValueError as error:
        raise MeetingError(
            f'NNODES, NODE_RANK, PORT: wanted numbers ({error})'
        ) from None


def tell(why):
    """Tells the other nodes that this one cannot take part.

    Args:
        why: The reason, in a line.
    """
    try:
        nodes, node, port = settings()
        address = os.environ.get('MASTER_ADDR', '')
        if nodes < 2 or not address:
            return
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
        hello = dict(node=node, nodes=nodes, host=HOST, failed=why)
        come(found[0], port, dict(hello, about={}), TELL_SECONDS)
    except (MeetingError, OSError):
        pass  # this node has said it


def meet_from_environment(arguments):
    """Meets the nodes that NNODES, NODE_RANK, MASTER_ADDR and PORT tell of.

    Args:
        arguments: Command line of torchrun.
    """
    nodes, node, port = settings()
    if nodes < 2:
        return
    own = ('--node-rank', '--master-addr')
    same = [x for x in arguments if not x.startswith(own)]
    same = [os.path.basename(x) if os.path.exists(x) else x for x in same]
    about = dict(arguments=' '.join(same))
    address = os.environ.get('MASTER_ADDR', '')
    here = meet(node, nodes, address, port, about)
    name = interface(here)
    if name:
        # gloo takes that of the host name, which is often 127.0.1.1.
        os.environ.setdefault('GLOO_SOCKET_IFNAME', name)
        os.environ.setdefault('TP_SOCKET_IFNAME', name)
