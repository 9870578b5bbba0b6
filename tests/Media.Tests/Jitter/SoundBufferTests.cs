using VoiceGrains.Media.Tests.Speech;

namespace VoiceGrains.Media.Tests.Jitter;

public sealed class SoundBufferTests
{
    [Theory]
    [InlineData(8_000, 440)]
    [InlineData(16_000, 100)]
    [InlineData(16_000, 440)]
    [InlineData(24_000, 237)]
    [InlineData(48_000, 85)]
    [InlineData(48_000, 1_000)]
    public void AWholePeriod_GoesInAndOut_WithoutAStep(int rateHz, double toneHz)
    {
        var tone = Tone(rateHz, toneHz, rateHz / 2);
        foreach (var lengthen in new[] { false, true })
        {
            var buffer = new SoundBuffer(rateHz);
            var heard = new List<short>();
            var changed = 0;
            foreach (var packet in tone.Chunk(rateHz / 50))
            {
                packet.CopyTo(buffer.Reserve(packet.Length));
                buffer.Commit(packet.Length);
                if (heard.Count > rateHz / 10)
                    changed += lengthen ? buffer.TryLengthen(rateHz, 0.9) : -buffer.TryShorten(rateHz, 0.9);
                heard.AddRange(ReadAll(buffer));
            }
            Assert.Equal(tone.Length + changed, heard.Count);
            Assert.InRange(Math.Abs(changed), rateHz / 400 * 10, rateHz / 80 * 25);
            var periods = changed * toneHz / rateHz;
            Assert.InRange(Math.Abs(periods - Math.Round(periods)), 0, 0.02 * 20);      // half a sample in each of twenty
            Assert.InRange(Roughness(heard, rateHz, toneHz), 0, 60);                    // of 8,000; a click would be thousands
        }
    }

    [Fact]
    public void WhatIsQuiet_IsCutExactlyAsMuchAsAsked()
    {
        var buffer = new SoundBuffer(16_000);
        Write(buffer, new short[320]);
        Assert.True(buffer.IsQuiet);
        Assert.Equal(70, buffer.TryShorten(70, 0.9));
        Assert.Equal(250, buffer.Count);
        Assert.Equal(33, buffer.TryLengthen(33, 0.9));
        Assert.Equal(283, buffer.Count);
    }

    [Fact]
    public void WhatIsNotAlike_IsLeftAlone_UnlessItMustNot()
    {
        var buffer = new SoundBuffer(16_000);
        Write(buffer, Noise.White(320, -20, seed: 1));
        Assert.Equal(0, buffer.TryShorten(200, 0.9));
        Assert.Equal(0, buffer.TryLengthen(200, 0.9));
        Assert.Equal(320, buffer.Count);
        Assert.InRange(buffer.TryShorten(200, -1), 40, 200);
    }

    [Fact]
    public void WithTooLittle_NothingIsChanged()
    {
        var buffer = new SoundBuffer(16_000);
        Assert.Equal(0, buffer.TryShorten(200, -1));
        Assert.Equal(0, buffer.TryLengthen(200, -1));
        Write(buffer, new short[119]);
        Assert.Equal(0, buffer.TryShorten(200, -1));
        Assert.Equal(0, buffer.TryLengthen(200, -1));
        Assert.Equal(119, buffer.Count);
    }

    private static void Write(SoundBuffer buffer, short[] pcm)
    {
        pcm.CopyTo(buffer.Reserve(pcm.Length));
        buffer.Commit(pcm.Length);
    }

    private static short[] ReadAll(SoundBuffer buffer)
    {
        var pcm = new short[buffer.Count];
        Assert.Equal(pcm.Length, buffer.Read(pcm));
        return pcm;
    }

    private static short[] Tone(int rateHz, double toneHz, int samples) =>
        [.. Enumerable.Range(0, samples).Select(i => (short)(8_000 * Math.Sin(i * 2 * Math.PI * toneHz / rateHz)))];

    private static double Roughness(List<short> pcm, int rateHz, double toneHz)
    {
        var turn = 2 * Math.Cos(2 * Math.PI * toneHz / rateHz);
        return Enumerable.Range(1, pcm.Count - 2).Max(i => Math.Abs(pcm[i - 1] - turn * pcm[i] + pcm[i + 1]));
    }
}
