using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Srtp;

/// <summary>Damaged and invented packets: every one is refused, in place, without a byte written outside of it.</summary>
public sealed class SrtpFuzzTests
{
    private const byte Guard = 0xA5;

    [Fact]
    public void DamagedPackets_AreRefused_AndTrueOnesStillTaken()
    {
        SrtpProfile[] profiles = [SrtpProfile.Aes128CmSha1_80, SrtpProfile.AeadAes128Gcm, SrtpProfile.AeadAes256Gcm];
        var cases = 0;
        foreach (var seed in FuzzTime.Cases(shortRun: 60))
        {
            cases++;
            var random = new Random(seed);
            var profile = profiles[seed % profiles.Length];
            var key = new byte[profile.KeyLength() + profile.SaltLength()];
            using var keys = new SrtpKeys(profile, key, key);
            using var outbound = SrtpSession.Outbound(keys);
            using var inbound = SrtpSession.Inbound(keys);
            for (ushort sequence = 1; sequence <= 20; sequence++)
            {
                var rtp = SrtpPackets.Protect(outbound, SrtpPackets.Rtp(sequence, random.Next(200), 1))!;
                var rtcp = SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(random.Next(20), 1))!;
                for (var i = 0; i < 5; i++)
                {
                    Assert.False(Opens(inbound.Unprotect, rtp, Damage(random, rtp)), $"Seed {seed}: RTP {sequence}");
                    Assert.False(Opens(inbound.UnprotectRtcp, rtcp, Damage(random, rtcp)), $"Seed {seed}: RTCP {sequence}");
                }
                Assert.True(Opens(inbound.Unprotect, [], rtp), $"Seed {seed}: true RTP {sequence}");
                Assert.True(Opens(inbound.UnprotectRtcp, [], rtcp), $"Seed {seed}: true RTCP {sequence}");
            }
            // What we send is our own, yet a header that lies about its lengths must not lead outside of the packet either.
            var nonsense = new byte[random.Next(12, 100)];
            random.NextBytes(nonsense);
            byte[] buffer = [.. nonsense, .. new byte[SrtpSession.MaxTrailer], Guard];
            var length = nonsense.Length;
            outbound.Protect(buffer.AsSpan(0, buffer.Length - 1), ref length);
            Assert.Equal(Guard, buffer[^1]);
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{200 * cases} damaged packets");
    }

    private delegate bool Open(Span<byte> packet, ref int length);

    /// <summary>Whether a packet passes; one that the damage left as it was counts as refused.</summary>
    private static bool Opens(Open open, byte[] original, byte[] packet)
    {
        if (packet.AsSpan().SequenceEqual(original))
            return false;
        byte[] buffer = [Guard, .. packet, Guard];
        var length = packet.Length;
        var opened = open(buffer.AsSpan(1, length), ref length);
        Assert.Equal((Guard, Guard), (buffer[0], buffer[^1]));
        return opened;
    }

    private static byte[] Damage(Random random, byte[] packet)
    {
        if (random.Next(4) > 0)
            return FuzzTime.Mutate(random, packet);
        var invented = new byte[random.Next(80)];
        random.NextBytes(invented);
        if (invented.Length > 0)
            invented[0] = (byte)(0x80 | (invented[0] & 0x3F));
        return invented;
    }
}
