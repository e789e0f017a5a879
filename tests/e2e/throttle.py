"""A TCP relay that slows down what the server sends: throttle.py PORT HOST:PORT BYTES-PER-SECOND."""

import asyncio
import sys


async def pump(reader, writer, rate):
    try:
        while piece := await reader.read(1 << 18):
            writer.write(piece)
            await writer.drain()
            if rate:
                await asyncio.sleep(len(piece) / rate)
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    port, target, rate = int(sys.argv[1]), sys.argv[2].rpartition(":"), int(sys.argv[3])

    async def relay(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(target[0], int(target[2]))
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, far_writer, 0), pump(far_reader, writer, rate))

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    await server.serve_forever()


asyncio.run(main())
