using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Wav;

public class WavReaderTests
{
    private static readonly byte[] s_mono16 = Build(1, 1, 16_000, 16, [0x01, 0x00, 0xFF, 0xFF, 0x00, 0x80]);

    [Fact]
    public void Pcm16_Mono_IsReadAsItIs()
    {
        var audio = WavReader.Parse(s_mono16);
        Assert.Equal([1, -1, short.MinValue], audio.Samples);
        Assert.Equal((16_000, 1), (audio.SampleRateHz, audio.Channels));
        Assert.Equal(TimeSpan.FromSeconds(3.0 / 16_000), audio.Duration);
    }

    [Theory]
    [InlineData(1, 8, "00 80 FF", new short[] { -32768, 0, 32512 })]
    [InlineData(1, 24, "000080 FFFFFF 560234", new short[] { -32768, 0, 0x3402 })]
    [InlineData(1, 32, "00000080 00000100 FFFFFF7F", new short[] { -32768, 1, 32767 })]
    [InlineData(3, 32, "0000803F 000000BF 0000C07F 0000807F 000080FF", new short[] { 32767, -16384, 0, 32767, -32768 })]   // 1, -0.5, NaN, +-Inf
    [InlineData(7, 8, "00 80 FF 7F", new short[] { -32124, 32124, 0, 0 })]
    [InlineData(6, 8, "AA 2A D5 55", new short[] { 32256, -32256, 8, -8 })]
    public void OtherEncodings_AreScaledTo16Bits(int tag, int bits, string hex, short[] expected) =>
        Assert.Equal(expected, WavReader.Parse(Build(tag, 1, 8_000, bits, Hex(hex))).Samples);

    [Fact]
    public void Stereo_BecomesTheMean() =>
        Assert.Equal([150, short.MaxValue], WavReader.Parse(Build(1, 2, 44_100, 16, Hex("6400 C800 FF7F FF7F"))).Samples);

    [Fact]
    public void Extensible_IsReadByItsSubtype()
    {
        var extension = Hex("1600 1800 04000000 0100 000000001000800000AA00389B71");
        Assert.Equal([0x3402], WavReader.Parse(Build(0xFFFE, 1, 48_000, 24, Hex("560234"), extension)).Samples);
        extension[^1] ^= 1;
        AssertFault(WavFault.UnsupportedEncoding, Build(0xFFFE, 1, 48_000, 24, Hex("560234"), extension));
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(0x7FFF_F024u, 0x7FFF_F000u)]        // espeak-ng on a pipe
    [InlineData(36u, 0u)]
    public void StreamedHeader_IsReadToTheEnd(uint riffSize, uint dataSize)
    {
        var file = s_mono16.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(4), riffSize);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(40), dataSize);
        Assert.Equal(3, WavReader.Parse(file).Samples.Length);
    }

    [Fact]
    public void TruncatedData_GivesTheWholeSamplesThatAreThere() => Assert.Equal([1, -1], WavReader.Parse(s_mono16.AsSpan()[..^1]).Samples);

    [Fact]
    public void ChunksAround_ArePassedOver_OddOnesWithTheirPadding()
    {
        byte[] odd = [.. "LIST"u8, 3, 0, 0, 0, 1, 2, 3, 0];
        byte[] file = [.. s_mono16[..12], .. odd, .. s_mono16[12..36], .. odd, .. s_mono16[36..], .. odd];
        Assert.Equal([1, -1, short.MinValue], WavReader.Parse(file).Samples);
    }

    [Fact]
    public void EmptyData_FollowedByAnotherChunk_IsEmpty()
    {
        byte[] file = [.. Build(1, 1, 8_000, 16, []), .. "LIST"u8, 2, 0, 0, 0, 1, 2];
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), file.Length - 8);
        Assert.Empty(WavReader.Parse(file).Samples);
    }

    [Fact]
    public void EveryPrefixOfAHeader_AsksForMore()
    {
        for (var length = 0; length < 44; length++)
            AssertFault(WavFault.TooShort, s_mono16[..length]);
    }

    public static TheoryData<WavFault, byte[]> Faults => new()
    {
        { WavFault.NotWav, "RIFX\0\0\0\0WAVE"u8.ToArray() },
        { WavFault.NotWav, "RIFF\0\0\0\0AVI "u8.ToArray() },
        { WavFault.NotWav, Encoding.UTF8.GetBytes("{\"error\":\"no such voice\"}") },
        { WavFault.NoFormat, [.. s_mono16[..12], .. s_mono16[36..]] },
        { WavFault.BadFormat, Build(1, 0, 16_000, 16, []) },
        { WavFault.BadFormat, Patch(32, 3) },                       // block align
        { WavFault.UnsupportedEncoding, Build(2, 1, 16_000, 4, []) },   // ADPCM
        { WavFault.UnsupportedEncoding, Build(1, 1, 16_000, 12, []) },
        { WavFault.RateOutOfRange, Build(1, 1, 0, 16, []) },
        { WavFault.RateOutOfRange, Build(1, 1, 400_000, 16, []) },
        { WavFault.TooManyChannels, Build(1, 17, 16_000, 16, []) },
        { WavFault.HeaderTooLong, [.. s_mono16[..12], .. "LIST"u8, 0, 0, 0, 0x7F] },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void BrokenFile_IsRefusedForItsReason(WavFault fault, byte[] file) => AssertFault(fault, file);

    [Fact]
    public async Task Limits_OfBytesAndTime_AreKept()
    {
        AssertFault(WavFault.TooLong, s_mono16, new WavLimits { MaxBytes = 49 });
        AssertFault(WavFault.TooLong, s_mono16, new WavLimits { MaxDuration = TimeSpan.FromSeconds(2.0 / 16_000) });
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            WavReader.ReadAsync(new MemoryStream(s_mono16), new WavLimits { MaxBytes = 49 }, TestContext.Current.CancellationToken));
        Assert.Equal(3, (await WavReader.ReadAsync(new MemoryStream(s_mono16), null, TestContext.Current.CancellationToken)).Samples.Length);
    }

    [Fact]
    public void AnyBytes_NeverThrow()
    {
        var limits = new WavLimits { MaxHeaderBytes = 500 };
        var mutations = from seed in Gen.Choose(0, int.MaxValue) select seed;
        Prop.ForAll(Arb.From(mutations), seed =>
        {
            var random = new Random(seed);
            var file = Build(random.Next(4) switch { 0 => 3, 1 => 7, 2 => 0xFFFE, _ => 1 }, random.Next(4), random.Next(100_000),
                8 * random.Next(5), RandomBytes(random, random.Next(200)), RandomBytes(random, 2 * random.Next(12)));
            for (var i = random.Next(8); i > 0; i--)
                file[random.Next(file.Length)] = (byte)random.Next(256);
            file = file[..random.Next(file.Length + 1)];
            if (WavReader.TryParse(file, limits, out var audio, out var error))
                Assert.InRange(audio!.Samples.Length, 0, file.Length);
            else
                Assert.NotEqual(WavFault.None, error.Fault);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
    }

    private static byte[] RandomBytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Build(int tag, int channels, int rateHz, int bits, byte[] data, byte[]? extension = null)
    {
        extension ??= [];
        var file = new MemoryStream();
        var writer = new BinaryWriter(file);
        var blockAlign = channels * bits / 8;
        writer.Write("RIFF"u8);
        writer.Write(36 + extension.Length + data.Length);
        writer.Write("WAVEfmt "u8);
        writer.Write(16 + extension.Length);
        writer.Write((ushort)tag);
        writer.Write((ushort)channels);
        writer.Write(rateHz);
        writer.Write(rateHz * blockAlign);
        writer.Write((ushort)blockAlign);
        writer.Write((ushort)bits);
        writer.Write(extension);
        writer.Write("data"u8);
        writer.Write(data.Length);
        writer.Write(data);
        return file.ToArray();
    }

    private static byte[] Patch(int offset, byte value)
    {
        var file = s_mono16.ToArray();
        file[offset] = value;
        return file;
    }

    private static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    private static void AssertFault(WavFault fault, byte[] file, WavLimits? limits = null)
    {
        Assert.False(WavReader.TryParse(file, limits ?? WavLimits.Default, out var audio, out var error));
        Assert.Null(audio);
        Assert.Equal(fault, error.Fault);
        Assert.Throws<InvalidDataException>(() => WavReader.Parse(file, limits));
    }
}
