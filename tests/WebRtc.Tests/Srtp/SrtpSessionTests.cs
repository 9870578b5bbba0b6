using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Srtp;

public sealed class SrtpSessionTests
{
    public static TheoryData<SrtpProfile> Profiles => [SrtpProfile.Aes128CmSha1_80, SrtpProfile.AeadAes128Gcm, SrtpProfile.AeadAes256Gcm];

    [Fact]
    public void TheLibraryHere_HasGcm() => Assert.True(SrtpSession.SupportsGcm);

    [Theory]
    [MemberData(nameof(Profiles))]
    public void AReplayedPacket_IsRefusedAndCounted(SrtpProfile profile)
    {
        var (outbound, inbound) = Sessions(profile);
        var rtp = SrtpPackets.Protect(outbound, SrtpPackets.Rtp(5, 20, 1))!;
        var rtcp = SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(5, 1))!;

        Assert.NotNull(SrtpPackets.Unprotect(inbound, rtp));
        Assert.Null(SrtpPackets.Unprotect(inbound, rtp));
        Assert.NotNull(SrtpPackets.UnprotectRtcp(inbound, rtcp));
        Assert.Null(SrtpPackets.UnprotectRtcp(inbound, rtcp));

        Assert.Equal((0, 2), (inbound.Refused, inbound.Replayed));
    }

    /// <summary>The number of wraps is not on the wire: who missed one before the first packet that it got would never learn of it.</summary>
    [Fact]
    public void AStream_IsTakenFromAnyOfItsPacketsOn()
    {
        for (var i = 0; i < 50; i++)
        {
            var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
            var first = RtpHeader.FirstSequence();
            Assert.NotNull(SrtpPackets.Protect(outbound, SrtpPackets.Rtp(first, 20, 1)));
            var later = SrtpPackets.Protect(outbound, SrtpPackets.Rtp((ushort)(first + 30_000), 20, 1))!;     // ten minutes on
            Assert.NotNull(SrtpPackets.Unprotect(inbound, later));
        }
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void AnyBitChanged_IsRefused_AndTheTruePacketStillTaken(SrtpProfile profile)
    {
        var (outbound, inbound) = Sessions(profile);
        var rtp = SrtpPackets.Protect(outbound, SrtpPackets.Rtp(5, 20, 1))!;
        var rtcp = SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(5, 1))!;
        for (var bit = 0; bit < 8 * rtp.Length; bit++)
            Assert.Null(SrtpPackets.Unprotect(inbound, Flip(rtp, bit)));
        for (var bit = 0; bit < 8 * rtcp.Length; bit++)
            Assert.Null(SrtpPackets.UnprotectRtcp(inbound, Flip(rtcp, bit)));

        Assert.NotNull(SrtpPackets.Unprotect(inbound, rtp));
        Assert.NotNull(SrtpPackets.UnprotectRtcp(inbound, rtcp));
        Assert.Equal(8 * (rtp.Length + rtcp.Length), inbound.Refused + inbound.Replayed);
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void APacketCutShort_IsRefused(SrtpProfile profile)
    {
        var (outbound, inbound) = Sessions(profile);
        var rtp = SrtpPackets.Protect(outbound, SrtpPackets.Rtp(5, 20, 1))!;
        var rtcp = SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(5, 1))!;
        for (var length = 0; length < rtp.Length; length++)
            Assert.Null(SrtpPackets.Unprotect(inbound, rtp[..length]));
        for (var length = 0; length < rtcp.Length; length++)
            Assert.Null(SrtpPackets.UnprotectRtcp(inbound, rtcp[..length]));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void LatePackets_AreTakenWithinTheWindow_AndRefusedBeyondIt(SrtpProfile profile)
    {
        var (outbound, inbound) = Sessions(profile);
        var packets = Enumerable.Range(1, SrtpSession.ReplayWindow + 10)
            .Select(i => SrtpPackets.Protect(outbound, SrtpPackets.Rtp((ushort)i, 20, 1))!).ToArray();

        Assert.NotNull(SrtpPackets.Unprotect(inbound, packets[^1]));
        Assert.NotNull(SrtpPackets.Unprotect(inbound, packets[10]));
        Assert.Null(SrtpPackets.Unprotect(inbound, packets[9]));
        Assert.Equal((0, 1), (inbound.Refused, inbound.Replayed));
    }

    [Fact]
    public void ASequenceNumber_ProtectsOnlyOnce()
    {
        var (outbound, _) = Sessions(SrtpProfile.AeadAes128Gcm);
        Assert.NotNull(SrtpPackets.Protect(outbound, SrtpPackets.Rtp(5, 20, 1)));
        Assert.Null(SrtpPackets.Protect(outbound, SrtpPackets.Rtp(5, 21, 1)));
        Assert.Equal(1, outbound.Replayed);
    }

    /// <summary>Each time it has another source.</summary>
    [Fact]
    public void AMicrophoneThatIsPublishedAnew_IsHeardTheThousandthTimeAsWell()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        for (var source = 1u; source <= 1_000; source++)
            Assert.NotNull(SrtpPackets.Unprotect(inbound, SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, source))!));
    }

    [Fact]
    public void SourcesWithoutEnd_AreStoppedAtTheLimit_AndThoseKnownStillHeard()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        for (var source = 1u; source <= SrtpSession.MaxSources; source++)
            Assert.NotNull(SrtpPackets.Unprotect(inbound, SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, source))!));

        const uint oneMore = SrtpSession.MaxSources + 1;
        Assert.Null(SrtpPackets.Unprotect(inbound, SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, oneMore))!));
        Assert.Null(SrtpPackets.UnprotectRtcp(inbound, SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(1, oneMore))!));
        Assert.NotNull(SrtpPackets.Unprotect(inbound, SrtpPackets.Protect(outbound, SrtpPackets.Rtp(2, 20, 1))!));
        Assert.NotNull(SrtpPackets.UnprotectRtcp(inbound, SrtpPackets.ProtectRtcp(outbound, SrtpPackets.Rtcp(1, 2))!));
    }

    [Fact]
    public void ForgedSources_TakeNoRoom()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        for (var source = 1u; source <= 10 * SrtpSession.MaxSources; source++)
            Assert.Null(SrtpPackets.Unprotect(inbound, SrtpPackets.Rtp(1, 40, source)));

        Assert.NotNull(SrtpPackets.Unprotect(inbound, SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, 1))!));
        Assert.Equal(10 * SrtpSession.MaxSources, inbound.Refused);
    }

    [Fact]
    public void HeaderExtensions_StayReadableAndAreAuthentic()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        byte[] packet = [.. SrtpPackets.Rtp(1, 0, 1), 0xBE, 0xDE, 0, 1, 0x10, 0x7F, 0, 0, .. "sound"u8];
        packet[0] |= 0x10;
        var secured = SrtpPackets.Protect(outbound, packet)!;
        Assert.Equal(packet[..20], secured[..20]);
        Assert.NotEqual(packet[20..], secured[20..25]);
        Assert.Equal(packet, SrtpPackets.Unprotect(inbound, secured));
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("8000000000000000000000")]                                       // one byte less than a header
    [InlineData("8F00000000000000000000010000000000000000")]                     // 15 sources promised, room for two
    [InlineData("900000000000000000000001BEDEFFFF00000000")]                     // an extension of 256 KiB
    [InlineData("900000000000000000000001BEDE")]                                 // half an extension header
    public void MalformedPackets_AreRefusedInBothDirections(string hex)
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        var packet = Convert.FromHexString(hex);
        Assert.Null(SrtpPackets.Protect(outbound, packet));
        Assert.Null(SrtpPackets.Unprotect(inbound, packet));
        Assert.Equal((1, 1), (outbound.Refused, inbound.Refused));
    }

    [Fact]
    public void WithoutRoomForTheTrailer_NothingIsProtected()
    {
        var (outbound, _) = Sessions(SrtpProfile.AeadAes128Gcm);
        var packet = SrtpPackets.Rtp(1, 20 + SrtpSession.MaxTrailer - 1, 1);
        var length = 32;
        Assert.False(outbound.Protect(packet, ref length));
        length = 32;
        Assert.False(outbound.ProtectRtcp(packet, ref length));
        length = -1;
        Assert.False(outbound.Protect(packet, ref length));
        length = packet.Length + 1;
        Assert.False(outbound.Unprotect(packet, ref length));
        Assert.Equal(4, outbound.Refused);
    }

    [Fact]
    public void SessionsOutliveTheKeys_AndKeysAreZeroed()
    {
        var keys = Keys(SrtpProfile.AeadAes256Gcm);
        var inbound = keys.Inbound;
        using var outbound = SrtpSession.Outbound(keys);
        keys.Dispose();

        Assert.Equal(-1, inbound.IndexOfAnyExcept((byte)0));
        Assert.NotNull(SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, 1)));
        Assert.Throws<ObjectDisposedException>(() => SrtpSession.Inbound(keys));
    }

    [Fact]
    public void ADisposedSession_RefusesQuietly()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        outbound.Dispose();
        inbound.Dispose();
        Assert.Null(SrtpPackets.Protect(outbound, SrtpPackets.Rtp(1, 20, 1)));
        Assert.Null(SrtpPackets.Unprotect(inbound, SrtpPackets.Rtp(1, 40, 1)));
    }

    [Fact]
    public async Task ASessionDisposedOfInTheMiddleOfItsWork_LosesNothingButPackets()
    {
        for (var round = 0; round < 8; round++)
        {
            var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
            using var half = new ManualResetEventSlim();
            var work = Task.Run(() =>
            {
                for (ushort sequence = 0; sequence < 200; sequence++)
                {
                    if (sequence == 100)
                        half.Set();
                    if (SrtpPackets.Protect(outbound, SrtpPackets.Rtp(sequence, 100, 1)) is { } packet)
                        SrtpPackets.Unprotect(inbound, packet);
                }
            }, TestContext.Current.CancellationToken);
            Assert.True(half.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken));
            outbound.Dispose();
            inbound.Dispose();
            await work;
        }
    }

    [Fact]
    public void KeysOfTheWrongLength_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new SrtpKeys(SrtpProfile.AeadAes128Gcm, new byte[28], new byte[30]));
        Assert.Throws<ArgumentException>(() => new SrtpKeys((SrtpProfile)2, new byte[30], new byte[30]));
    }

    [Fact]
    public void NothingIsAllocatedPerPacket()
    {
        var (outbound, inbound) = Sessions(SrtpProfile.AeadAes128Gcm);
        var buffer = new byte[12 + 100 + SrtpSession.MaxTrailer];
        var before = 0L;
        for (ushort sequence = 1; sequence <= 200; sequence++)
        {
            if (sequence == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            (buffer[0], buffer[1], buffer[2], buffer[3]) = (0x80, 111, (byte)(sequence >> 8), (byte)sequence);
            var length = 112;
            Assert.True(outbound.Protect(buffer, ref length));
            Assert.True(inbound.Unprotect(buffer, ref length));
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] Flip(byte[] packet, int bit)
    {
        var changed = (byte[])packet.Clone();
        changed[bit / 8] ^= (byte)(1 << (bit % 8));
        return changed;
    }

    private static (SrtpSession Outbound, SrtpSession Inbound) Sessions(SrtpProfile profile)
    {
        using var keys = Keys(profile);
        return (SrtpSession.Outbound(keys), SrtpSession.Inbound(keys));
    }

    private static SrtpKeys Keys(SrtpProfile profile)
    {
        var key = Enumerable.Range(1, profile.KeyLength() + profile.SaltLength()).Select(i => (byte)i).ToArray();
        return new SrtpKeys(profile, key, key);
    }
}
