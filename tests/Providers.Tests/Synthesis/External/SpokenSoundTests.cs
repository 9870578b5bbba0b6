using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

public sealed class SpokenSoundTests
{
    private static SpokenSound Sound() => new(16_000, new WordAligner());

    [Fact]
    public void Samples_ComeOutAsTheyWentIn_HoweverTheyAreCut() => Prop.ForAll(ArbMap.Default.ArbFor<short[]>(), ArbMap.Default.ArbFor<byte[]>(), (samples, cuts) =>
    {
        var bytes = SpeechAsserts.Bytes(samples);
        var sound = Sound();
        var heard = new List<short>();
        var at = 0;
        foreach (var cut in cuts.Append(byte.MaxValue).TakeWhile(_ => at < bytes.Length))
        {
            var part = bytes.AsSpan(at, Math.Min(cut, bytes.Length - at));
            if (cut % 2 == 0) sound.Add(part);
            else sound.AddBase64(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(part)));
            at += part.Length;
            if (cut % 3 == 0) heard.AddRange(sound.Take()?.Pcm.ToArray() ?? []);
        }
        heard.AddRange(sound.Finish().Pcm.ToArray());
        Assert.Equal(samples.Take(at / 2), heard);
        Assert.Equal(at / 2, sound.Samples);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("AAA")]
    [InlineData("A=A=")]
    [InlineData("====")]
    [InlineData("AA==AAAA")]
    [InlineData("AAAA AAAAAAA")]
    [InlineData("ÄAAA")]
    public void WhatIsNoBase64_IsRefused(string text)
        => Assert.Equal("its sound is no base64", Assert.Throws<InvalidDataException>(() => Sound().AddBase64(System.Text.Encoding.UTF8.GetBytes(text))).Message);

    [Fact]
    public void AMessagesSound_IsCopiedOnce()
    {
        var text = System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(new byte[48_000]));
        var sound = Sound();
        for (var i = 0; i < 3; i++) Decode();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Decode();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 48_000, 48_500);   // the samples that the listener owns, and the chunk

        void Decode()
        {
            sound.AddBase64(text);
            Assert.NotNull(sound.Take());
        }
    }

    [Fact]
    public void WordsToCome_WaitForTheirSound_AndLateOnesDoNot()
    {
        var aligner = new WordAligner();
        aligner.AppendText("one two");
        var sound = new SpokenSound(16_000, aligner);
        sound.AddWord("one", 0, 0.5);
        Assert.Null(sound.Take());
        sound.Add(new byte[32_000]);
        Assert.Equal([(0, 3)], sound.Take()!.Words.Select(w => (w.TextStart, w.TextEnd)));
        sound.AddWord("two", 0.5, 1);
        var late = sound.Take()!;
        Assert.Equal((0, 4), (late.Pcm.Length, Assert.Single(late.Words).TextStart));
    }
}
