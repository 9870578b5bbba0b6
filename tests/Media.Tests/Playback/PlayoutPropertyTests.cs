using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Playback;

/// <summary>Random conversations against a far end that is modelled independently, frame by frame.</summary>
public class PlayoutPropertyTests
{
    [Fact]
    public void FarEndHearsWhatIsReported_AndNothingThatWasCleared() =>
        Prop.ForAll(Arb.From(s_conversations, Shrink), talk => new PlayoutModel(talk).Run())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1_000));

    private static readonly Gen<(int, int)> s_step = from kind in Gen.Choose(0, 15) from amount in Gen.Choose(0, 8_000) select (kind, amount);

    private static readonly Gen<Conversation> s_conversations =
        from rateHz in Gen.Elements(8_000, 16_000, 24_000, 44_100, 48_000, 11_025)
        from bufferMs in Gen.OneOf(Gen.Choose(20, 100), Gen.Choose(100, 5_000))
        from canClear in Gen.Elements(true, false)
        from count in Gen.Choose(1, 80)
        from steps in Gen.ArrayOf(s_step, count)
        select new Conversation(rateHz, bufferMs, canClear, steps);

    private static IEnumerable<Conversation> Shrink(Conversation talk) =>
        talk.Steps.Select((_, i) => talk with { Steps = [.. talk.Steps[..i], .. talk.Steps[(i + 1)..]] });

    private sealed record Conversation(int RateHz, int BufferMs, bool CanClear, (int Kind, int Amount)[] Steps)
    {
        public override string ToString() => $"{RateHz} Hz, {BufferMs} ms, {CanClear}: {string.Join(' ', Steps)}";
    }

    private sealed class PlayoutModel : IPlayoutSink
    {
        private readonly FakeClock _clock = new();
        private readonly Playout _playout;
        private readonly bool _canClear;
        private readonly (int Kind, int Amount)[] _steps;
        private readonly Queue<short> _unsent = [];
        private readonly List<Said> _said = [];
        private readonly long _origin;
        private short _nextSample;
        private double _busyUntil;      // when the far end will have played all that it got, in samples since the origin
        private int _refuse;
        private bool _sentIsHeard;      // amid a clear that the far end cannot follow

        public PlayoutModel(Conversation talk)
        {
            (_canClear, _steps) = (talk.CanClear, talk.Steps);
            _playout = new Playout(talk.RateHz, TimeSpan.FromSeconds(2), _clock)
            {
                Sink = this, OutputBuffer = TimeSpan.FromMilliseconds(talk.BufferMs), CanClear = talk.CanClear
            };
            _origin = _playout.OriginTimestamp;
        }

        private double Now => (_clock.GetTimestamp() - _origin) * (double)_playout.SampleRateHz / _clock.TimestampFrequency;

        public void Run()
        {
            foreach (var (kind, amount) in _steps)
            {
                switch (kind)
                {
                    case < 5: Wait(amount % 400); break;
                    case < 9: Write(amount % 8_000); break;
                    case 9 or 10: Begin(); break;
                    case 11: End(); break;
                    case 12 or 13: Mark(amount); break;
                    case 14: Clear(); break;
                    default: _refuse = amount % 8; break;
                }
                CheckPosition();
            }
            End();
            Wait(30_000);
            Assert.Empty(_unsent);
            Assert.All(_said, said => Assert.True(said.IsOver));
        }

        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
        {
            Assert.InRange(pcm.Length, 1, _playout.SampleRateHz / 50);
            if (_refuse > 0)
            {
                _refuse--;
                return false;
            }
            foreach (var sample in pcm)
                Assert.Equal(_unsent.Dequeue(), sample);
            var start = Math.Max(_busyUntil, Now);
            Assert.InRange(playSamplePosition - start, -2, 2);
            _busyUntil = start + pcm.Length;
            Assert.True(_busyUntil - Now <= _playout.OutputBuffer.TotalSeconds * _playout.SampleRateHz + 2, "sent too far ahead");
            var said = _said.First(s => s.Sent < s.Written);
            if (pcm.Length < _playout.SampleRateHz / 50)
                Assert.True(said.IsEnded && said.Sent + pcm.Length == said.Written, "only an utterance's last frame may be short");
            said.Frames.Add((start, pcm.Length));
            return true;
        }

        public void OnUtteranceStarted(int utteranceId)
        {
            var said = _said[utteranceId];
            Assert.False(said.IsStarted);
            Assert.All(_said[..utteranceId], before => Assert.True(before.IsOver));
            said.IsStarted = true;
        }

        public void OnMark(int utteranceId, int markId)
        {
            var said = _said[utteranceId];
            Assert.True(said.IsStarted);
            var mark = said.Marks.Single(m => m.Id == markId);
            Assert.True(Math.Min(mark.Sample, said.IsEnded ? said.Written : long.MaxValue) <= Heard(said) + 1, "mark before its sound");
            Assert.True(said.Marks.Remove(mark));
        }

        public void OnUnderrun(int utteranceId)
        {
            Assert.True(_said[utteranceId].IsStarted);
            Assert.True(Now > _busyUntil, "the far end still plays");
        }

        public void OnUtterancePlayed(int utteranceId)
        {
            var said = _said[utteranceId];
            Assert.True(said.IsStarted && said.IsEnded && !said.IsOver);
            Assert.Empty(said.Marks);
            Assert.Equal(said.Written, said.Sent);
            Assert.True(Heard(said) >= said.Written - 1);
            said.IsOver = true;
        }

        private void Begin()
        {
            End();
            _playout.BeginUtterance(_said.Count);
            _said.Add(new Said());
        }

        private void End()
        {
            _playout.EndUtterance();
            if (_said.Count > 0)
                _said[^1].IsEnded = true;
        }

        private void Write(int samples)
        {
            var isOpen = _said.Count > 0 && !_said[^1].IsEnded;
            if (isOpen && _unsent.Count + samples > 2 * _playout.SampleRateHz)
                return;
            var pcm = new short[samples];
            for (var i = 0; i < samples; i++)
                pcm[i] = _nextSample++;
            var write = _playout.WriteAsync(pcm, TestContext.Current.CancellationToken);
            Assert.True(write.IsCompleted);
            Assert.Equal(isOpen, write.Result);
            if (!isOpen)
                return;
            _said[^1].Written += samples;
            foreach (var sample in pcm)
                _unsent.Enqueue(sample);
        }

        private void Mark(int sample)
        {
            var markId = _said.Sum(s => s.MarksMade);
            var isTaken = _playout.AddMark(sample, markId);
            Assert.Equal(_said.Count > 0 && !_said[^1].IsCleared, isTaken);
            if (!isTaken)
                return;
            _said[^1].MarksMade++;
            _said[^1].Marks.Add((sample, markId));
        }

        private void Clear()
        {
            _sentIsHeard = !_canClear;
            var samples = _playout.Clear(_clock.GetTimestamp(), out var utteranceId);
            if (_said.Count == 0)
                Assert.Equal((0, -1), (samples, utteranceId));
            else if (utteranceId >= 0 && !_said[utteranceId].IsCleared)
                Assert.InRange(samples - (_canClear ? Heard(_said[utteranceId]) : _said[utteranceId].Sent), -1, 1);
            Assert.Equal(samples, _playout.Clear(_clock.GetTimestamp()));
            _sentIsHeard = false;
            _unsent.Clear();
            foreach (var said in _said.Where(s => !s.IsOver))
                (said.IsCleared, said.IsEnded, said.IsOver, said.Written) = (true, true, true, said.Sent);
            if (_said.Count > 0)
                _said[^1].IsCleared = true;
            if (_canClear)
                _busyUntil = Math.Min(_busyUntil, Now);
        }

        private void Wait(int milliseconds)
        {
            for (var passed = 0; passed < milliseconds && !(milliseconds > 5_000 && _said.All(s => s.IsOver)); passed += 7)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(7));
                _playout.Tick(_clock.GetTimestamp());
                CheckReports();
            }
        }

        private void CheckReports()
        {
            foreach (var said in _said.Where(s => !s.IsCleared))
            {
                if (said.IsStarted && !said.IsOver)
                    Assert.DoesNotContain(said.Marks, m => m.Sample < Heard(said) - 1);
                if (said.IsStarted && said.IsEnded && Heard(said) == said.Written)
                    Assert.True(said.IsOver || Now - _busyUntil < 1, "played, but not reported");
                if (said.Sent > 0 && Heard(said) > 1)
                    Assert.True(said.IsStarted);
            }
        }

        private void CheckPosition()
        {
            var (utteranceId, samples) = _playout.Position(_clock.GetTimestamp());
            if (utteranceId >= 0 && !_said[utteranceId].IsCleared)
                Assert.InRange(samples - Heard(_said[utteranceId]), -1, 1);
        }

        private double Heard(Said said) =>
            said.IsCleared && _canClear ? double.NaN : _sentIsHeard ? said.Sent : said.Frames.Sum(frame => Math.Clamp(Now - frame.Start, 0, frame.Samples));

        private sealed class Said
        {
            public List<(double Start, int Samples)> Frames { get; } = [];

            public List<(long Sample, int Id)> Marks { get; } = [];

            public int MarksMade { get; set; }

            public long Sent => Frames.Sum(frame => frame.Samples);

            public long Written { get; set; }

            public bool IsStarted { get; set; }

            public bool IsEnded { get; set; }

            public bool IsOver { get; set; }

            public bool IsCleared { get; set; }
        }
    }
}
