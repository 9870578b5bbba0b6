namespace VoiceGrains.Media.Tests.Samples;

public class ResamplerTests
{
    [Theory]
    [InlineData(8_000, 16_000)]
    [InlineData(48_000, 16_000)]
    [InlineData(16_000, 48_000)]
    [InlineData(44_100, 16_000)]
    [InlineData(11_025, 48_000)]
    [InlineData(22_050, 24_000)]
    [InlineData(47_999, 8_001)]
    public void Sine_ComesOutAsTheSameSine_WithoutDelayOrLoss(int from, int to)
    {
        const double ToneHz = 440;
        using var resampler = new Resampler(from, to);
        var output = ResampleInChunks(resampler, Tone(ToneHz, from, from), chunk: 317);     // one second

        Assert.InRange(output.Length, to - 2, to + 2);
        var expected = Tone(ToneHz, to, output.Length);
        for (var i = to / 50; i < output.Length - to / 50; i++)
            Assert.InRange(output[i] - expected[i], -150, 150);         // -36 dB of a 10,000 tone
    }

    [Fact]
    public void Chunking_DoesNotChangeTheSound()
    {
        using var resampler = new Resampler(44_100, 16_000);
        var input = Tone(1_000, 44_100, 20_000);
        Assert.Equal(ResampleInChunks(resampler, input, 20_000), ResampleInChunks(resampler, input, 7));
    }

    [Fact]
    public void EqualRates_CopyTheSamples()
    {
        using var resampler = new Resampler(16_000, 16_000);
        short[] input = [1, -2, 3];
        var output = new short[3];
        Assert.Equal(3, resampler.Process(input, output));
        Assert.Equal(input, output);
        Assert.Equal(0, resampler.Drain([]));
    }

    [Fact]
    public void Reset_ForgetsTheSoundBefore()
    {
        using var resampler = new Resampler(8_000, 16_000);
        var output = new short[resampler.MaxOutput(800)];
        resampler.Process(Tone(300, 8_000, 800), output);
        resampler.Reset();
        var written = resampler.Process(new short[800], output);
        Assert.All(output[..written], sample => Assert.Equal(0, sample));
    }

    [Theory]
    [InlineData(7_999, 16_000, 5)]
    [InlineData(16_000, 48_001, 5)]
    [InlineData(16_000, 48_000, 11)]
    public void Constructor_RefusesWhatIsOutOfRange(int from, int to, int quality) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Resampler(from, to, quality));

    [Fact]
    public void Process_RefusesTooLittleRoom()
    {
        using var resampler = new Resampler(8_000, 16_000);
        Assert.Throws<ArgumentException>(() => resampler.Process(new short[160], new short[319]));
    }

    [Fact]
    public void Process_AllocatesNothing()
    {
        using var resampler = new Resampler(48_000, 16_000);
        var input = new short[960];
        var output = new short[resampler.MaxOutput(input.Length)];
        Assert.Equal(0, Allocations.Of(() => resampler.Process(input, output)));
    }

    private static short[] ResampleInChunks(Resampler resampler, short[] input, int chunk)
    {
        var output = new List<short>();
        foreach (var part in input.Chunk(chunk))
        {
            var buffer = new short[resampler.MaxOutput(part.Length)];
            output.AddRange(buffer.AsSpan(0, resampler.Process(part, buffer)));
        }
        var rest = new short[resampler.MaxDrain];
        output.AddRange(rest.AsSpan(0, resampler.Drain(rest)));
        return [.. output];
    }

    private static short[] Tone(double hz, int rateHz, int samples) =>
        [.. Enumerable.Range(0, samples).Select(i => (short)Math.Round(10_000 * Math.Sin(2 * Math.PI * hz * i / rateHz)))];
}
