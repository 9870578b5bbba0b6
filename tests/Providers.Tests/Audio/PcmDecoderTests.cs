using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Media;
using VoiceGrains.Providers.Audio;

namespace VoiceGrains.Providers.Tests.Audio;

public sealed class PcmDecoderTests
{
    private static readonly short[] Samples = [.. Enumerable.Range(0, 200).Select(i => (short)(i * 137 - 9000))];

    [Fact]
    public void AnyCut_GivesTheSameSamples()
    {
        byte[][] files =
        [
            Wav.Encode(Samples, 22_050),
            Wav.Encode(Samples, 22_050)[PcmWavHeader.Length..],
            WithChunk(Wav.Encode(Samples, 22_050)),
            [.. Wav.Encode(Samples, 22_050), .. "LISTxxxx"u8],
        ];
        Prop.ForAll(Arb.From(Gen.Zip(Gen.Elements(files), Gen.NonEmptyListOf(Gen.Choose(1, 40)))), sample =>
        {
            var (file, cuts) = sample;
            var decoder = new PcmDecoder(22_050);
            var heard = new List<short>();
            for (int at = 0, i = 0; at < file.Length; at += cuts[i++ % cuts.Count])
                heard.AddRange(decoder.Decode(file.AsSpan(at, Math.Min(cuts[i % cuts.Count], file.Length - at))));
            decoder.Complete();
            Assert.Equal(Samples, heard);
            Assert.Equal(22_050, decoder.SampleRateHz);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void AWavsOwnRate_WinsOverTheDeclaredOne()
    {
        var decoder = new PcmDecoder(48_000);
        Assert.Equal(Samples, decoder.Decode(Wav.Encode(Samples, 8_000)));
        Assert.Equal(8_000, decoder.SampleRateHz);
    }

    [Fact]
    public void StereoIsAveraged_AndFloatIsScaled()
    {
        var stereo = Wav.Encode([100, 300, -100, -300], 8_000);
        (stereo[22], stereo[32]) = (2, 4);
        Assert.Equal([200, -200], new PcmDecoder(0).Decode(stereo).Select(s => (int)s));

        var floats = Wav.Encode(new short[4], 8_000);
        (floats[20], floats[32], floats[34]) = (3, 4, 32);
        BinaryPrimitives.WriteSingleLittleEndian(floats.AsSpan(44), 0.5f);
        BinaryPrimitives.WriteSingleLittleEndian(floats.AsSpan(48), -2f);
        Assert.Equal([16_384, -32_768], new PcmDecoder(0).Decode(floats).Select(s => (int)s));
    }

    [Fact]
    public void AStreamedWav_HasNoKnownLength()
    {
        var file = Wav.Encode(Samples, 8_000);
        file.AsSpan(40, 4).Fill(0xFF);
        Assert.Equal(Samples, new PcmDecoder(0).Decode(file));
    }

    [Fact]
    public void EachPart_MayBringItsOwnHeader()
    {
        var decoder = new PcmDecoder(0);
        var heard = new List<short>();
        foreach (var part in new[] { Wav.Encode(Samples, 8_000), Wav.Encode(Samples, 8_000), Wav.Encode(Samples, 8_000)[PcmWavHeader.Length..] })
        {
            decoder.BeginPart();
            heard.AddRange(decoder.Decode(part));
        }
        Assert.Equal([.. Samples, .. Samples, .. Samples], heard);
    }

    [Theory]
    [InlineData("524946460000000041564920", "it is no WAV that we can read: NotWav (0) at byte 0")]
    [InlineData("52494646FFFFFFFF57415645666D7420100000000100010040000000800000000200100064617461FFFFFFFF", "it is no WAV that we can read: RateOutOfRange (64) at byte 24")]
    [InlineData("52494646FFFFFFFF5741564564617461FFFFFFFF", "it is no WAV that we can read: NoFormat (0) at byte 12")]
    [InlineData("52494646FFFFFFFF574156456A756E6BFFFFFF7F", "it is no WAV that we can read: HeaderTooLong (2147483668) at byte 12")]
    [InlineData("01020304", "it is raw PCM but no sample rate is known")]
    public void WhatCannotBePlayed_IsNamed(string hex, string problem)
        => Assert.Equal(problem, Assert.Throws<InvalidDataException>(() => new PcmDecoder(0).Decode(Convert.FromHexString(hex))).Message);

    [Fact]
    public void ACutHeader_IsNoticedAtTheEnd()
    {
        var decoder = new PcmDecoder(0);
        Assert.Empty(decoder.Decode("RIFF\0\0\0\0WAVE"u8));
        Assert.Equal("the WAV header is cut off", Assert.Throws<InvalidDataException>(decoder.Complete).Message);
    }

    [Fact]
    public void ArbitraryBytes_NeverBreakIt()
        => Prop.ForAll(Arb.From(Gen.Zip(Gen.ArrayOf(Gen.Choose(0, 255).Select(b => (byte)b)), Gen.Elements(false, true))), sample =>
        {
            try
            {
                byte[] bytes = sample.Item2 ? [.. "RIFF\0\0\0\0WAVE"u8, .. sample.Item1] : sample.Item1;
                var decoder = new PcmDecoder(8_000);
                decoder.Decode(bytes);
                decoder.Complete();
            }
            catch (InvalidDataException)
            {
                // The one failure that it may have.
            }
        }).QuickCheckThrowOnFailure();

    private static byte[] WithChunk(byte[] wav) => [.. wav[..36], .. "LIST"u8, 3, 0, 0, 0, 1, 2, 3, 0, .. wav[36..]];   // odd length, padded
}
