namespace VoiceGrains.Media.Tests.Speech;

public class VoiceActivityDetectorTests(ITestOutputHelper output)
{
    private const int Frame = VoiceActivityDetector.FrameSamples;
    private const int RateHz = VoiceActivityDetector.SampleRateHz;
    private const float Threshold = 0.1f;
    private const int AdaptationFrames = 31;        // one second

    public static TheoryData<string, double, double> Conditions => new()
    {
        // condition, most speech frames missed, most pause frames taken for speech
        { "clean", 0.015, 0.15 },
        { "telephone", 0.015, 0.10 },
        { "20 dB quieter", 0.03, 0.02 },
        { "white noise 20 dB below", 0.03, 0.02 },
        { "white noise 10 dB below", 0.10, 0.05 },
        { "pink noise 10 dB below", 0.12, 0.05 },
        { "hum 10 dB below", 0.03, 0.08 },
    };

    [Theory]
    [MemberData(nameof(Conditions))]
    public void HumanSpeech_IsFoundFromItsFirstFrames(string condition, double maxMissRate, double maxFalseRate)
    {
        var inputs = SpeechCorpus.Load().Select(recording => (recording, Pcm: Spoil(recording.Samples, condition))).ToList();
        var ours = VadReport.Total(inputs.Select(i => (i.recording, VadReport.Probabilities(i.Pcm))), Threshold);
        var theirs = VadReport.BestOf([.. inputs.Select(i => (i.recording, SpeexVad.Probabilities(i.Pcm)))], ours.MissRate);
        output.WriteLine($"{condition}: missed {ours.MissRate:P1}, false {ours.FalseRate:P1}, onset {ours.OnsetFrames} frames; "
            + $"speexdsp missing as much: false {theirs.FalseRate:P1}, onset {theirs.OnsetFrames}");
        Assert.True(ours.Speech > 1_000 && ours.Pause > 50, "the corpus holds too little to judge by");
        Assert.InRange(ours.MissRate, 0, maxMissRate);
        Assert.InRange(ours.FalseRate, 0, maxFalseRate);
        Assert.InRange(ours.OnsetFrames, 0, 2);
        Assert.True(ours.FalseRate <= theirs.FalseRate, "speexdsp does better");
    }

    [Theory]
    [InlineData("white", -50)]
    [InlineData("white", -40)]
    [InlineData("white", -30)]
    [InlineData("pink", -50)]
    [InlineData("pink", -40)]
    [InlineData("pink", -30)]
    [InlineData("50 Hz hum", -50)]
    [InlineData("50 Hz hum", -30)]
    [InlineData("60 Hz hum", -50)]
    [InlineData("60 Hz hum", -30)]
    public void SteadyNoise_IsNeverSpeech_OnceItIsKnown(string kind, double dbfs)
    {
        var probabilities = VadReport.Probabilities(Steady(kind, 60 * RateHz, dbfs));
        Assert.All(probabilities.Skip(AdaptationFrames), p => Assert.InRange(p, 0, Threshold * 0.9f));
    }

    [Fact]
    public void LouderBackground_IsLearntWithinASecond()
    {
        short[] pcm = [.. Noise.White(3 * RateHz, -60), .. Noise.White(3 * RateHz, -35)];
        var probabilities = VadReport.Probabilities(pcm);
        var step = 3 * RateHz / Frame;
        Assert.All(probabilities[(step + AdaptationFrames)..], p => Assert.InRange(p, 0, Threshold));
    }

    [Fact]
    public void DigitalSilence_IsNeverSpeech() =>
        Assert.All(VadReport.Probabilities(new short[10 * RateHz]), p => Assert.InRange(p, 0, 0.05f));

    [Fact]
    public void SpeechAfterSilenceOrAtTheVeryStart_IsFoundAlike()
    {
        foreach (var recording in SpeechCorpus.Load().Take(3))
        {
            var first = Enumerable.Range(0, recording.Levels.Length).First(i => recording.IsSpeech(i) && recording.IsSpeech(i + 1));
            var cut = recording.Samples[(first * Frame)..];
            Assert.Contains(VadReport.Probabilities(cut).Take(3), p => p >= Threshold);
            short[] late = [.. new short[100 * Frame], .. cut];
            Assert.Contains(VadReport.Probabilities(late).Skip(100).Take(3), p => p >= Threshold);
        }
    }

    [Fact]
    public void SingleClicks_AreNotSpeech()
    {
        var clicks = new short[5 * RateHz];
        for (var i = 100; i < clicks.Length; i += 7_919)
            clicks[i] = 20_000;
        Assert.All(VadReport.Probabilities(clicks), p => Assert.InRange(p, 0, Threshold));
        var inNoise = Noise.Mix(clicks, Noise.White(clicks.Length, -50));
        Assert.All(VadReport.Probabilities(inNoise).Skip(AdaptationFrames), p => Assert.InRange(p, 0, Threshold));
    }

    [Fact]
    public void HeldVowel_StaysSpeech()
    {
        var probabilities = VadReport.Probabilities(Vowel(seconds: 4));
        Assert.All(probabilities, p => Assert.True(p >= Threshold));
    }

    [Fact]
    public void PauseBetweenWords_IsNotFilled()
    {
        var speech = SpeechCorpus.Load()[0].Samples;
        var words = speech[(16 * Frame)..(35 * Frame)];
        short[] talk = [.. new short[40 * Frame], .. words, .. new short[20 * Frame], .. words];
        var pcm = Noise.Mix(talk, Noise.White(talk.Length, -60));
        Assert.All(VadReport.Probabilities(pcm)[60..78], p => Assert.InRange(p, 0, Threshold));
    }

    [Fact]
    public void Reset_MakesItAsNew()
    {
        var vad = new VoiceActivityDetector();
        var noise = Noise.White(100 * Frame, -30);
        var first = vad.Process(noise.AsSpan(0, Frame));
        foreach (var frame in noise.Chunk(Frame))
            vad.Process(frame);
        Assert.NotEqual(first, vad.Process(noise.AsSpan(0, Frame)));
        vad.Reset();
        Assert.Equal(first, vad.Process(noise.AsSpan(0, Frame)));
    }

    [Fact]
    public void Process_RefusesAnotherFrameSize() =>
        Assert.Throws<ArgumentException>(() => new VoiceActivityDetector().Process(new short[Frame - 1]));

    [Fact]
    public void Process_AllocatesNothing()
    {
        var vad = new VoiceActivityDetector();
        var frame = Noise.Pink(Frame, -30);
        Assert.Equal(0, Allocations.Of(() => vad.Process(frame)));
    }

    private static short[] Steady(string kind, int samples, double dbfs) => kind switch
    {
        "white" => Noise.White(samples, dbfs),
        "pink" => Noise.Pink(samples, dbfs),
        "50 Hz hum" => Noise.Hum(samples, dbfs, 50),
        _ => Noise.Hum(samples, dbfs, 60)
    };

    private static short[] Spoil(short[] pcm, string condition)
    {
        var level = Pcm.Dbfs(pcm);
        return condition switch
        {
            "clean" => pcm,
            "telephone" => SpeechCorpus.Resample(SpeechCorpus.Resample(pcm, RateHz, 8_000), 8_000, RateHz),
            "20 dB quieter" => Noise.Gain(pcm, -20),
            "white noise 20 dB below" => Noise.Mix(pcm, Noise.White(pcm.Length, level - 20)),
            "white noise 10 dB below" => Noise.Mix(pcm, Noise.White(pcm.Length, level - 10)),
            "pink noise 10 dB below" => Noise.Mix(pcm, Noise.Pink(pcm.Length, level - 10)),
            _ => Noise.Mix(pcm, Noise.Hum(pcm.Length, level - 10))
        };
    }

    /// <summary>An "er" at 120 Hz whose pitch wavers by 5 %, -34 dBFS.</summary>
    private static short[] Vowel(int seconds)
    {
        double[] formants = [600, 1_040, 2_250];
        var phase = 0.0;
        var pcm = new short[seconds * RateHz];
        for (var i = 0; i < pcm.Length; i++)
        {
            var pitchHz = 120 + 6 * Math.Sin(2 * Math.PI * 0.8 * i / RateHz);
            phase += pitchHz / RateHz;
            var sum = 0.0;
            for (var k = 1; k < 30; k++)
                sum += Math.Sin(2 * Math.PI * k * phase) / (1 + Math.Pow(formants.Min(f => Math.Abs(k * pitchHz - f)) / 80, 2));
            pcm[i] = (short)(sum * 500);
        }
        return pcm;
    }
}
