"""A node in ten lines. It understands one sentence, and says what it heard."""

from parley import Job, Node, Result

node = Node(languages=["en", "es"])


@node.translate
async def translate(job: Job) -> Result:
    print(f"{job.duration_ms} ms of speech, {job.src_lang} to {job.tgt_lang}", flush=True)
    return Result(text_asr="good morning", text_translated="buenos días", audio=job.audio)


node.run()
