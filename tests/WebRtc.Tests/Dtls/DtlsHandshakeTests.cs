using System.Buffers.Binary;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>From the start to the keys, and the ends that a handshake may come to.</summary>
public sealed class DtlsHandshakeTests
{
    private const string WrongFingerprint =
        "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    private static readonly DtlsCertificate Certificate = DtlsCertificate.Create();

    private readonly ManualClock _clock = new();

    [Fact]
    public void Handshake_GivesBothSidesTheSameKeys_CrossedOver()
    {
        using var pair = DtlsPair.Connect(_clock);

        Assert.Equal(SrtpProfile.AeadAes128Gcm, pair.Client.Keys!.Value.Profile);
        Assert.Equal(SrtpProfile.AeadAes128Gcm, pair.Server.Keys!.Value.Profile);
        Assert.Equal(28, pair.Client.Keys.Value.Inbound.Length);
        Assert.Equal(pair.Client.Keys.Value.Inbound, pair.Server.Keys.Value.Outbound);
        Assert.Equal(pair.Client.Keys.Value.Outbound, pair.Server.Keys.Value.Inbound);
        Assert.NotEqual(pair.Client.Keys.Value.Outbound, pair.Client.Keys.Value.Inbound);
        Assert.Equal(default, pair.Client.Transport.Statistics);
        Assert.Equal(default, pair.Server.Transport.Statistics);
    }

    [Fact]
    public void EveryHandshake_MakesNewKeys()
    {
        using var first = DtlsPair.Connect(_clock);
        using var second = DtlsPair.Connect(_clock);
        Assert.NotEqual(first.Client.Keys!.Value.Outbound, second.Client.Keys!.Value.Outbound);
    }

    [Fact]
    public void Keys_AreZeroedWhenTheSinkHasSeenThem()
    {
        using var pair = DtlsPair.Connect(_clock);
        Assert.Throws<ObjectDisposedException>(() => pair.Client.KeysSeen!.Inbound.Length);
        Assert.Throws<ObjectDisposedException>(() => pair.Server.KeysSeen!.Outbound.Length);
    }

    [Fact]
    public void HandshakeDatagrams_KeepToTheMtu()
    {
        using var pair = new DtlsPair(_clock);
        var longest = 0;
        pair.Start();
        while (pair.Client.Outgoing.Count + pair.Server.Outgoing.Count > 0)
        {
            longest = pair.Client.Outgoing.Concat(pair.Server.Outgoing).Max(datagram => Math.Max(longest, datagram.Length));
            pair.CarryOne();
        }
        Assert.True(pair.Connected);
        Assert.InRange(longest, 500, 1200);
    }

    [Fact]
    public void AHelloBeforeTheStart_IsAnsweredOnceItBegins_AndNotBefore()
    {
        using var pair = new DtlsPair(_clock);
        pair.Client.Transport.Start();
        pair.Exchange();
        Assert.Empty(pair.Server.Outgoing);

        pair.Server.Transport.Start();
        Assert.NotEmpty(pair.Server.Outgoing);
        pair.Exchange();
        Assert.True(pair.Connected);
        Assert.Equal(default, pair.Client.Transport.Statistics);
    }

    [Fact]
    public void AFloodBeforeTheStart_IsDropped_AndASecondHelloAnswered()
    {
        using var pair = new DtlsPair(_clock);
        pair.Client.Transport.Start();
        var hello = pair.Client.Outgoing.Dequeue();
        for (var i = 0; i < 1000; i++)
            pair.Server.Transport.OnDatagram([22, 254, 253, 0, 0, 0, 0, 0, 0, (byte)(i >> 8), (byte)i, 0, 9]);
        Assert.Equal(996, pair.Server.Transport.Statistics.Ignored);

        pair.Server.Transport.Start();
        Assert.Empty(pair.Server.Outgoing);
        pair.Server.Transport.OnDatagram(hello);
        pair.Exchange();
        Assert.True(pair.Connected);
    }

    [Fact]
    public void AServer_SendsNothingOfItsOwnAccord()
    {
        using var server = new DtlsPeer(DtlsRole.Server, WrongFingerprint, _clock, Certificate);
        server.Transport.Start();
        server.Transport.Start();
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(server.Outgoing);
        Assert.Equal(["No DTLS handshake within 15 s."], server.Closed);
    }

    [Fact]
    public void AClient_GivesUpAfterFifteenSeconds()
    {
        using var client = new DtlsPeer(DtlsRole.Client, WrongFingerprint, _clock, Certificate);
        client.Transport.Start();
        _clock.Advance(TimeSpan.FromSeconds(14.9));
        Assert.Empty(client.Closed);
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(["No DTLS handshake within 15 s."], client.Closed);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Single(client.Closed);
        Assert.False(client.Transport.TrySend("x"u8));
    }

    [Fact]
    public void OnceConnected_NoTimerIsLeft()
    {
        using var pair = DtlsPair.Connect(_clock);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, pair.Exchange());
        Assert.Empty(pair.Client.Closed);
        Assert.Empty(pair.Server.Closed);
    }

    [Theory]
    [InlineData(DtlsRole.Client)]
    [InlineData(DtlsRole.Server)]
    public void AnotherCertificateThanTheSdpSays_ConnectsNobody(DtlsRole deceived)
    {
        using var other = DtlsCertificate.Create();
        using var client = new DtlsPeer(DtlsRole.Client, deceived == DtlsRole.Client ? WrongFingerprint : Certificate.Fingerprint, _clock, other);
        using var server = new DtlsPeer(DtlsRole.Server, deceived == DtlsRole.Server ? WrongFingerprint : other.Fingerprint, _clock, Certificate);
        using var pair = new DtlsPair(client, server);
        pair.Start();
        pair.Exchange();

        var (victim, deceiver) = deceived == DtlsRole.Client ? (client, server) : (server, client);
        Assert.Equal(["The peer's certificate is not the one whose fingerprint the SDP holds."], victim.Closed);
        Assert.StartsWith("The peer refused the DTLS connection: ", deceiver.Closed.Single());
        Assert.Null(victim.Keys);
        Assert.Null(deceiver.Keys);
        Assert.False(victim.Transport.TrySend("x"u8));
    }

    [Fact]
    public void AClientHelloInPieces_AsLargeKeySharesMakeIt_IsPutTogether()
    {
        using var pair = new DtlsPair(_clock);
        pair.Start();
        foreach (var fragment in Fragments(pair.Client.Outgoing.Dequeue(), size: 50).Reverse())
        {
            Assert.Empty(pair.Server.Outgoing);
            pair.Server.Transport.OnDatagram(fragment);
        }
        pair.Exchange();
        Assert.True(pair.Connected);
    }

    /// <summary>One handshake message in records of its own for each piece (RFC 6347 §4.2.3).</summary>
    private static IEnumerable<byte[]> Fragments(byte[] datagram, int size)
    {
        const int recordHeader = 13, messageHeader = 12;
        var message = datagram[(recordHeader + messageHeader)..];
        for (var offset = 0; offset < message.Length; offset += size)
        {
            var piece = message[offset..Math.Min(offset + size, message.Length)];
            byte[] fragment = [.. datagram[..(recordHeader + messageHeader)], .. piece];
            fragment[10] = (byte)(20 + offset / size);                                         // sequence number of the record: ahead of those that follow
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(11), (ushort)(messageHeader + piece.Length));
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(recordHeader + 7), (ushort)offset);
            BinaryPrimitives.WriteUInt16BigEndian(fragment.AsSpan(recordHeader + 10), (ushort)piece.Length);
            yield return fragment;
        }
    }
}
