using VoiceGrains.Media.Tests.Speech;

namespace VoiceGrains.Media.Tests.Dtmf;

public class DtmfTests
{
    private const string AllDigits = "1234567890*#ABCD1123";

    [Theory]
    [InlineData(8_000, 100, 100, -12)]
    [InlineData(8_000, 45, 45, -12)]        // near the shortest that ITU-T Q.24 asks for
    [InlineData(16_000, 60, 60, -25)]
    [InlineData(48_000, 100, 50, -6.5)]
    [InlineData(44_100, 500, 80, -35)]
    public void DigitsAreHeard_EachOnce(int rateHz, int toneMs, int pauseMs, double dbfs) =>
        Assert.Equal(AllDigits, Hear(Digits(rateHz, toneMs, pauseMs, dbfs), rateHz));

    [Theory]
    [InlineData(20)]
    [InlineData(15)]
    public void DigitsAreHeard_InNoise(int ratioDb)
    {
        var pcm = Digits(8_000, 60, 60, -15);
        Assert.Equal(AllDigits, Hear(Noise.Mix(pcm, Noise.White(pcm.Length, -12 - ratioDb)), 8_000));
    }

    [Fact]
    public void TonesThatAreTooShort_AreNoDigits() => Assert.Equal("", Hear(Digits(8_000, 20, 60, -12), 8_000));

    [Theory]
    [InlineData(1.015, "5")]        // must be accepted (ITU-T Q.24)
    [InlineData(0.985, "5")]
    [InlineData(1.05, "")]
    [InlineData(0.952, "")]
    public void FrequenciesOffTheirMark_AreJudged(double factor, string expected) => Assert.Equal(expected, Hear(Pair(770 * factor, 1336 * factor, 1), 8_000));

    [Theory]
    [InlineData(2.0, "5")]          // column 6 dB above the row
    [InlineData(0.72, "5")]         // row 3 dB above
    [InlineData(4.0, "")]
    [InlineData(0.4, "")]
    public void UnequalTones_AreJudged(double columnFactor, string expected) => Assert.Equal(expected, Hear(Pair(770, 1336, columnFactor), 8_000));

    [Fact]
    public void HumanSpeechAndNoise_HoldNoDigits()
    {
        foreach (var recording in SpeechCorpus.Load())
            Assert.Equal("", Hear(recording.Samples, 16_000));
        Assert.Equal("", Hear(Noise.White(60 * 8_000, -20), 8_000));
    }

    [Fact]
    public void Generate_RefusesWhatIsNoDigit()
    {
        Assert.Throws<ArgumentException>(() => DtmfTones.Generate("12E", 8_000));
        Assert.Empty(DtmfTones.Generate("", 8_000));
        Assert.True(DtmfTones.IsDigit('#') && !DtmfTones.IsDigit('a'));
    }

    [Fact]
    public void Process_AllocatesNothing()
    {
        var detector = new DtmfDetector(8_000);
        var pcm = DtmfTones.Generate("5", 8_000);
        Assert.Equal(0, Allocations.Of(() =>
        {
            Span<char> digits = stackalloc char[4];
            detector.Process(pcm, digits);
        }));
    }

    private static short[] Digits(int rateHz, int toneMs, int pauseMs, double dbfs) =>
        DtmfTones.Generate(AllDigits, rateHz, TimeSpan.FromMilliseconds(toneMs), TimeSpan.FromMilliseconds(pauseMs), dbfs);

    private static short[] Pair(double rowHz, double columnHz, double columnFactor) =>
        [.. Enumerable.Range(0, 1_600).Select(i => (short)(4_000
            * (Math.Sin(2 * Math.PI * rowHz * i / 8_000) + columnFactor * Math.Sin(2 * Math.PI * columnHz * i / 8_000)) / Math.Max(1, columnFactor)))];

    private static string Hear(short[] pcm, int rateHz)
    {
        var detector = new DtmfDetector(rateHz);
        var heard = "";
        var digits = new char[2];
        foreach (var part in pcm.Chunk(rateHz / 50))
            heard += new string(digits, 0, detector.Process(part, digits));
        return heard;
    }
}
