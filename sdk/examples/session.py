"""A session in ten lines: says a WAV file in English and prints it in Spanish."""

import asyncio
import sys

from parley import Session


async def main() -> None:
    async with Session(src_lang="en", tgt_lang="es") as session:
        outcome = await session.say(sys.argv[1])
        print(outcome.text_translated if outcome.ok else outcome.advice())


asyncio.run(main())
