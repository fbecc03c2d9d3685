"""A session in ten lines: says a WAV file in English, as live, and prints it in Spanish."""

import asyncio
import sys

from parley import Answer, Missing, Session, live


async def main() -> None:
    async with Session(src_lang="en", tgt_lang="es") as session:
        async for event in session.stream(live(sys.argv[1])):
            match event:
                case Answer() | Missing():
                    print(event.text_translated if event.ok else event.advice())


asyncio.run(main())
