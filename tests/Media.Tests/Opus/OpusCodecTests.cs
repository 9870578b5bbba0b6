using System.Runtime.InteropServices;
using VoiceGrains.Media.Tests.Speech;
using VoiceGrains.Tests.Fakes.Network;

namespace VoiceGrains.Media.Tests.Opus;

public sealed partial class OpusCodecTests
{
    private static readonly short[] s_speech = SpeechCorpus.Load()[0].Samples;

    [Theory]
    [InlineData(8_000)]
    [InlineData(12_000)]
    [InlineData(16_000)]
    [InlineData(24_000)]
    [InlineData(48_000)]
    public void Decode_GivesWhatLibopusGives_BitForBit(int rateHz)
    {
        using var decoder = new OpusDecoder(rateHz);
        var bare = BareOpus.DecoderCreate(rateHz, 1, out _);
        var (ours, theirs) = (new short[decoder.MaxSamples], new short[decoder.MaxSamples]);
        try
        {
            foreach (var packet in JitteryNetwork.Encode(s_speech, new() { SampleRateHz = 16_000 }))
            {
                Assert.Equal(rateHz / 50, decoder.Decode(packet.Opus, ours));
                Assert.Equal(rateHz / 50, BareOpus.Decode(bare, packet.Opus, packet.Opus.Length, theirs, theirs.Length, 0));
                Assert.Equal(theirs, ours);
            }
        }
        finally
        {
            BareOpus.DecoderDestroy(bare);
        }
    }

    [Theory]
    [InlineData(16_000, 32_000)]
    [InlineData(24_000, 40_000)]
    [InlineData(48_000, 64_000)]
    public void Speech_SurvivesTheCodec_AtItsLevel(int rateHz, int bitrate)
    {
        var speech = SpeechCorpus.Resample(s_speech, 16_000, rateHz);
        using var decoder = new OpusDecoder(16_000);
        var heard = new List<short>();
        var pcm = new short[320];
        var bytes = 0;
        foreach (var packet in JitteryNetwork.Encode(speech, new() { SampleRateHz = rateHz, BitrateBps = bitrate }))
        {
            decoder.Decode(packet.Opus, pcm);
            heard.AddRange(pcm);
            bytes += packet.Opus.Length;
        }
        Assert.InRange(Pcm.Dbfs(heard.ToArray()) - Pcm.Dbfs(s_speech), -1, 1);
        Assert.InRange(bytes * 8 / (heard.Count / 16_000.0), bitrate * 0.5, bitrate * 1.1);
    }

    [Fact]
    public void StereoPackets_AreHeardInMono()
    {
        var encoder = BareOpus.EncoderCreate(48_000, 2, 2048, out _);
        using var decoder = new OpusDecoder(48_000);
        using var two = new OpusDecoder(48_000, channels: 2);
        var (stereo, packet, mono, both) = (new short[1_920], new byte[1_276], new short[960], new short[1_920]);
        try
        {
            for (var frame = 0; frame < 20; frame++)
            {
                for (var i = 0; i < 960; i++)
                    stereo[2 * i] = (short)(8_000 * Math.Sin((frame * 960 + i) * 2 * Math.PI * 440 / 48_000));   // left only
                var length = BareOpus.Encode(encoder, stereo, 960, packet, packet.Length);
                Assert.Equal(960, decoder.Decode(packet.AsSpan(0, length), mono));
                Assert.Equal(960, two.Decode(packet.AsSpan(0, length), both));
            }
        }
        finally
        {
            BareOpus.EncoderDestroy(encoder);
        }
        Assert.InRange(Pcm.Dbfs(mono), Pcm.Dbfs(stereo) - 4.5, Pcm.Dbfs(stereo) - 1.5);      // half of the left channel has as much less power than half of it twice
    }

    [Fact]
    public void ALostPacket_IsRecoveredFromTheNext_BetterThanConcealed()
    {
        var packets = JitteryNetwork.Encode(s_speech, new() { SampleRateHz = 16_000, BitrateBps = 32_000, ExpectedLossPercent = 20 });
        using var whole = new OpusDecoder(16_000);
        using var fec = new OpusDecoder(16_000);
        using var concealing = new OpusDecoder(16_000);
        var (right, recovered, concealed) = (new short[320], new short[320], new short[320]);
        var (withFec, without) = (0.0, 0.0);
        var copies = 0;
        for (var i = 0; i < packets.Length - 1; i++)
        {
            whole.Decode(packets[i].Opus, right);
            if (i % 5 != 4 || !OpusPacket.HasFec(packets[i + 1].Opus))
            {
                fec.Decode(packets[i].Opus, recovered);
                concealing.Decode(packets[i].Opus, concealed);
                continue;
            }
            Assert.Equal(320, fec.DecodeFec(packets[i + 1].Opus, recovered));
            Assert.Equal(320, concealing.Conceal(concealed));
            withFec += Difference(right, recovered);
            without += Difference(right, concealed);
            copies++;
        }
        Assert.InRange(copies, packets.Length / 10, packets.Length / 5);
        Assert.InRange(withFec, 0, without / 2);
    }

    [Fact]
    public void ExpectedLoss_SetWhileEncoding_BringsCopies_AndTakesThemAway()
    {
        using var encoder = new OpusEncoder(new() { SampleRateHz = 16_000, BitrateBps = 32_000 });
        var packet = new byte[OpusEncoder.MaxPacketBytes];
        Assert.Equal(0, Copies());
        encoder.ExpectedLossPercent = 10;
        Assert.InRange(Copies(), 30, 50);
        encoder.ExpectedLossPercent = 0;
        Assert.InRange(Copies(), 0, 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => encoder.ExpectedLossPercent = 101);

        int Copies()
        {
            var copies = 0;
            for (var i = 0; i < 50; i++)
                copies += OpusPacket.HasFec(packet.AsSpan(0, encoder.Encode(s_speech.AsSpan(10_000 + 320 * i, 320), packet))) ? 1 : 0;
            return copies;
        }
    }

    [Fact]
    public void Dtx_LeavesSilenceOut_AndItsPacketsAreTolerated()
    {
        var packets = JitteryNetwork.Encode(new short[16_000], new() { SampleRateHz = 16_000, UsesDtx = true });
        using var decoder = new OpusDecoder(48_000);
        var pcm = new short[5_760];
        Assert.Contains(packets, packet => OpusPacket.IsDtx(packet.Opus));
        Assert.All(packets, packet => Assert.Equal(960, decoder.Decode(packet.Opus, pcm)));
        Assert.InRange(Pcm.Dbfs(pcm.AsSpan(0, 960)), float.NegativeInfinity, -70);
    }

    [Theory]
    [InlineData("")]
    [InlineData("03")]                  // says that it has many frames, and not how many
    [InlineData("0300")]                // none
    [InlineData("FB07FFFFFFFF")]        // 7 frames of 20 ms are longer than 120 ms
    [InlineData("01FFFF00")]            // two frames of equal length in three bytes
    [InlineData("02FF")]                // the first frame's length is cut off
    [InlineData("0302AA")]              // two frames of equal length in one byte
    public void AMalformedPacket_GivesNothing_AndChangesNothing(string hex)
    {
        var packets = JitteryNetwork.Encode(s_speech[20_000..26_400], new() { SampleRateHz = 16_000 });
        using var decoder = new OpusDecoder(16_000);
        using var untroubled = new OpusDecoder(16_000);
        var (pcm, expected) = (new short[decoder.MaxSamples], new short[decoder.MaxSamples]);
        foreach (var packet in packets)
        {
            Assert.Equal(0, decoder.Decode(Convert.FromHexString(hex), pcm));
            decoder.Decode(packet.Opus, pcm);
            untroubled.Decode(packet.Opus, expected);
            Assert.Equal(expected, pcm);
        }
    }

    [Fact]
    public void WrongArguments_AreRefused()
    {
        using var decoder = new OpusDecoder(48_000);
        using var encoder = new OpusEncoder(new());
        var packet = JitteryNetwork.Encode(s_speech[..320], new() { SampleRateHz = 16_000 })[0].Opus;
        Assert.Throws<ArgumentOutOfRangeException>(() => new OpusDecoder(44_100));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OpusDecoder(48_000, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OpusEncoder(new() { BitrateBps = 5_000 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OpusEncoder(new() { Complexity = 11 }));
        Assert.Throws<ArgumentException>(() => decoder.Decode(packet, new short[959]));
        Assert.Throws<ArgumentException>(() => decoder.Conceal(new short[100]));
        Assert.Throws<ArgumentException>(() => decoder.DecodeFec(packet, new short[5_880]));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new short[480], new byte[100]));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new short[960], []));
    }

    [Fact]
    public void AFrame_AllocatesNothing()
    {
        using var encoder = new OpusEncoder(new() { SampleRateHz = 16_000 });
        using var decoder = new OpusDecoder(16_000);
        var (packet, pcm) = (new byte[OpusEncoder.MaxPacketBytes], new short[decoder.MaxSamples]);
        Assert.Equal(0, Allocations.Of(() =>
        {
            var length = encoder.Encode(s_speech.AsSpan(10_000, 320), packet);
            decoder.Decode(packet.AsSpan(0, length), pcm);
            decoder.DecodeFec(packet.AsSpan(0, length), pcm.AsSpan(0, 320));
            decoder.Conceal(pcm.AsSpan(0, 160));
        }, runs: 50));
    }

    private static double Difference(short[] a, short[] b) => a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum();

    /// <summary>libopus as its documentation shows it, without ours in between.</summary>
    private static partial class BareOpus
    {
        [LibraryImport("libopus.so.0", EntryPoint = "opus_decoder_create")]
        internal static partial nint DecoderCreate(int rate, int channels, out int error);

        [LibraryImport("libopus.so.0", EntryPoint = "opus_decode")]
        internal static partial int Decode(nint state, byte[] data, int length, [Out] short[] pcm, int frameSize, int decodeFec);

        [LibraryImport("libopus.so.0", EntryPoint = "opus_decoder_destroy")]
        internal static partial void DecoderDestroy(nint state);

        [LibraryImport("libopus.so.0", EntryPoint = "opus_encoder_create")]
        internal static partial nint EncoderCreate(int rate, int channels, int application, out int error);

        [LibraryImport("libopus.so.0", EntryPoint = "opus_encode")]
        internal static partial int Encode(nint state, short[] pcm, int frameSize, [Out] byte[] data, int capacity);

        [LibraryImport("libopus.so.0", EntryPoint = "opus_encoder_destroy")]
        internal static partial void EncoderDestroy(nint state);
    }
}
