"""Sizes of the TLS records that lapeld sends, read off the wire by a proxy in between.

    tls_records.py wire PORT   carry connections to PORT; prints its own port on the first line, and
                               "largest bytes" of records 23 for each that ends, from the server
"""
import socket
import sys
import threading


def carry(source, sink, lengths):
    """Pass bytes on; note the length of each record of application data (or encrypted, in 1.3)."""
    held = b""
    try:
        while True:
            part = source.recv(65536)
            if not part:
                break
            sink.sendall(part)
            if lengths is None:
                continue
            held += part
            while len(held) >= 5:
                size = int.from_bytes(held[3:5], "big")
                if len(held) < 5 + size:
                    break
                if held[0] == 23:
                    lengths.append(size)
                held = held[5 + size:]
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(connection, port):
    lengths = []
    with connection, socket.create_connection(("127.0.0.1", port)) as server:
        up = threading.Thread(target=carry, args=(connection, server, None))
        up.start()
        carry(server, connection, lengths)
        up.join()
    print("largest %d bytes %d" % (max(lengths, default=0), sum(lengths)), flush=True)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, int(sys.argv[2])), daemon=True).start()


main()
