"""The same work in several threads."""

import threading


def in_threads(work, count):
    """Run work(0), work(1), ... at the same time."""
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
