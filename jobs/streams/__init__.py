"""Speech that comes piece by piece: from ``audio_chunk`` to utterances.

:mod:`jobs.streams.stream` has the clock and the session, :mod:`jobs.streams.cutter` the rules; an
utterance that is cut goes on to :meth:`jobs.intake.Intake.spoken`.
"""
