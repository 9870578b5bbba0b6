using System.Buffers.Binary;
using System.Collections.Concurrent;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Tests.Dtls;

public sealed class DtlsTransportTests
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
    public void Data_GoesBothWays_RecordByRecord_AlsoFromWithinACallback()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Server.WhenData = data => Assert.True(pair.Server.Transport.TrySend([.. data, (byte)'!']));

        Assert.True(pair.Client.Transport.TrySend("one"u8));
        Assert.True(pair.Client.Transport.TrySend("two"u8));
        pair.Client.Outgoing.Enqueue([.. pair.Client.Outgoing.Dequeue(), .. pair.Client.Outgoing.Dequeue()]);   // two records in one datagram
        pair.Exchange();

        Assert.Equal(["one"u8.ToArray(), "two"u8.ToArray()], pair.Server.Received);
        Assert.Equal(["one!"u8.ToArray(), "two!"u8.ToArray()], pair.Client.Received);
    }

    [Fact]
    public void TrySend_SaysFalseOutOfRange()
    {
        using var pair = new DtlsPair(_clock);
        pair.Start();
        Assert.False(pair.Client.Transport.TrySend("early"u8));
        pair.Exchange();
        Assert.False(pair.Client.Transport.TrySend([]));
        Assert.False(pair.Client.Transport.TrySend(new byte[16_385]));
        Assert.True(pair.Client.Transport.TrySend(new byte[16_384]));
        Assert.True(pair.Client.Transport.TrySend(new byte[DtlsTransport.MaxUnfragmented]));
        Assert.Equal(1200, pair.Client.Outgoing.Last().Length);
        pair.Exchange();
        Assert.Equal([16_384, DtlsTransport.MaxUnfragmented], pair.Server.Received.Select(data => data.Length));
    }

    [Fact]
    public void Dispose_SaysGoodbye_WhichTheOtherSideReturns()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Transport.Dispose();
        pair.Client.Transport.Dispose();
        Assert.Single(pair.Client.Outgoing);
        pair.Exchange();

        Assert.Equal(["The peer closed the DTLS connection."], pair.Server.Closed);
        Assert.Empty(pair.Client.Closed);
        Assert.Equal((1, 1), (pair.Server.Transport.Statistics.AlertsSent, pair.Server.Transport.Statistics.AlertsReceived));
        Assert.Equal(1, pair.Client.Transport.Statistics.Ignored);   // the answer comes to a transport that is gone
        Assert.False(pair.Client.Transport.TrySend("x"u8));
        Assert.False(pair.Server.Transport.TrySend("x"u8));
    }

    [Fact]
    public void Dispose_FromWithinEachCallback_IsSafe()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Server.WhenData = _ => pair.Server.Transport.Dispose();
        pair.Client.Transport.TrySend("one"u8);
        pair.Client.Transport.TrySend("two"u8);
        pair.Client.Outgoing.Enqueue([.. pair.Client.Outgoing.Dequeue(), .. pair.Client.Outgoing.Dequeue()]);
        pair.Exchange();
        Assert.Single(pair.Server.Received);
        Assert.Single(pair.Client.Closed);
    }

    [Fact]
    public void ADuplicatedRecord_IsDeliveredOnce()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Transport.TrySend("once"u8);
        var datagram = pair.Client.Outgoing.Dequeue();
        for (var i = 0; i < 3; i++)
            pair.Server.Transport.OnDatagram(datagram);
        Assert.Single(pair.Server.Received);
    }

    [Fact]
    public void RecordsThatAreTamperedWithOrCutShort_AreDropped_AndTheConnectionGoesOn()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Transport.TrySend("true"u8);
        var datagram = pair.Client.Outgoing.Dequeue();
        for (var length = 0; length < datagram.Length; length++)
            pair.Server.Transport.OnDatagram(datagram.AsSpan(0, length));
        for (var bit = 0; bit < 8 * datagram.Length; bit++)
        {
            var changed = (byte[])datagram.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            pair.Server.Transport.OnDatagram(changed);
        }
        Assert.Empty(pair.Server.Received);
        Assert.Empty(pair.Server.Closed);

        pair.Server.Transport.OnDatagram(datagram);
        Assert.Equal("true"u8, pair.Server.Received.Single());
    }

    [Theory]
    [InlineData("15FEFF0000000000000063000202")]               // half an alert in the clear
    [InlineData("15FEFD0000000000000063000202 28")]            // a fatal alert in the clear
    [InlineData("15FEFD0000000000000063000201 00")]            // a goodbye in the clear
    [InlineData("17FEFD0000000000000063000568656C6C6F")]       // data in the clear
    [InlineData("16FEFD000000000000006300190100000D000000000000000DFEFD00000000000000000000")]
    [InlineData("14FEFD000000000000006300 0101")]              // a change of cipher in the clear
    [InlineData("80 00 00 00")]                                // RTP that lost its way
    [InlineData("14")]
    public void ForgeriesInTheClear_ChangeNothingOnceConnected(string hex)
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Server.Transport.OnDatagram(Convert.FromHexString(hex.Replace(" ", "")));
        pair.Client.Transport.OnDatagram(Convert.FromHexString(hex.Replace(" ", "")));
        Assert.Equal(0, pair.Exchange());

        Assert.True(pair.Client.Transport.TrySend("true"u8));
        pair.Exchange();
        Assert.Equal("true"u8, pair.Server.Received.Single());
        Assert.Empty(pair.Client.Closed);
    }

    [Theory]
    [InlineData("17FEFD0000000000000000000568656C6C6F")]       // data before there are keys
    [InlineData("17FEFD0001000000000000000568656C6C6F")]       // data of the next epoch: kept for later, and then found false
    [InlineData("16FEFD0000000000000000")]                     // half a record header
    [InlineData("16FEFD00000000000000000100")]                 // a record that is not there
    [InlineData("99")]
    public void JunkBeforeTheHandshake_IsNeverDelivered_AndDoesNoHarm(string hex)
    {
        using var pair = new DtlsPair(_clock);
        pair.Server.Transport.Start();
        pair.Server.Transport.OnDatagram(Convert.FromHexString(hex));
        Assert.Empty(pair.Server.Outgoing);
        pair.Client.Transport.Start();
        pair.Exchange();

        Assert.True(pair.Connected);
        Assert.Empty(pair.Server.Received);
    }

    [Theory]
    [InlineData("16FEFD0000000000000000000E 0100000200000000000000 02 FEFD 00")]   // a ClientHello of two bytes
    [InlineData("16FEFD0000000000000000000C 010FFFFF000000000000000000")]          // the first fragment of one of a megabyte
    [InlineData("16FEFD0000000000000000000C 140000000000000000000000")]            // Finished first
    public void AGarbageClientHello_IsAnsweredByOneShortAlertAtMost(string hex)
    {
        using var server = new DtlsPeer(DtlsRole.Server, WrongFingerprint, _clock, Certificate);
        server.Transport.Start();
        var datagram = Convert.FromHexString(hex.Replace(" ", ""));
        for (var i = 0; i < 3; i++)
            server.Transport.OnDatagram(datagram);
        Assert.Null(server.Keys);
        Assert.InRange(server.Outgoing.Sum(sent => sent.Length), 0, datagram.Length);
        Assert.InRange(server.Closed.Count, 0, 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Dispose_WhileTheSinkSends_IsSafe(int after)
    {
        using var pair = new DtlsPair(_clock);
        foreach (var peer in new[] { pair.Client, pair.Server })
        {
            var sent = 0;
            peer.Carry = datagram =>
            {
                if (sent++ == after)
                    peer.Transport.Dispose();
                else
                    peer.Outgoing.Enqueue(datagram);
            };
        }
        pair.Start();
        pair.Exchange();
        for (var i = 0; i < 4; i++)
        {
            pair.Client.Transport.TrySend("x"u8);
            pair.Server.Transport.TrySend("x"u8);
        }
        Assert.Empty(pair.Client.Closed);
        Assert.Empty(pair.Server.Closed);
        Assert.False(pair.Client.Transport.TrySend("x"u8));
    }

    [Fact]
    public async Task Dispose_WhileAFlightIsSentAgain_IsSafe()
    {
        using var client = new DtlsPeer(DtlsRole.Client, WrongFingerprint, TimeProvider.System, Certificate, TimeSpan.FromMilliseconds(20));
        var again = new TaskCompletionSource();
        var sent = 0;
        client.Carry = _ =>
        {
            if (++sent == 2)
            {
                client.Transport.Dispose();
                again.SetResult();
            }
        };
        client.Transport.Start();
        await again.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        client.Transport.Dispose();   // waits for the lock, so the timer's work is over
        Assert.Equal(1, client.Transport.Statistics.Retransmissions);
        Assert.Empty(client.Closed);
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

    [Fact]
    public void ASinkThatThrows_LosesDatagrams_NoMore()
    {
        using var pair = DtlsPair.Connect(_clock);
        pair.Client.Carry = _ => throw new InvalidOperationException("no socket");
        Assert.True(pair.Client.Transport.TrySend("lost"u8));
        pair.Client.Carry = null;
        Assert.True(pair.Client.Transport.TrySend("found"u8));
        pair.Exchange();
        Assert.Equal(1, pair.Client.Transport.Statistics.Unsent);
        Assert.Equal("found"u8, pair.Server.Received.Single());
    }

    [Fact]
    public async Task ManyThreadsMaySend()
    {
        const int threads = 4, each = 250;
        using var pair = DtlsPair.Connect(_clock);
        var wire = new ConcurrentQueue<byte[]>();
        pair.Client.Carry = wire.Enqueue;
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
                Assert.True(pair.Client.Transport.TrySend([(byte)thread, (byte)i]));
        })));
        foreach (var datagram in wire)
            pair.Server.Transport.OnDatagram(datagram);
        Assert.Equal(threads * each, pair.Server.Received.DistinctBy(data => (data[0], data[1])).Count());
    }

    [Fact]
    public async Task ManyThreadsMayUseAndDisposeAtOnce()
    {
        for (var round = 0; round < 8; round++)
        {
            using var pair = DtlsPair.Connect(_clock);
            var wire = new ConcurrentQueue<byte[]>();
            pair.Client.Carry = wire.Enqueue;
            pair.Server.Carry = _ => { };
            pair.Server.Quiet = true;
            using var start = new Barrier(4);
            await Task.WhenAll(
                Together(() => pair.Client.Transport.TrySend("x"u8)),
                Together(() => pair.Server.Transport.TrySend("x"u8)),
                Together(() =>
                {
                    if (wire.TryDequeue(out var datagram))
                        pair.Server.Transport.OnDatagram(datagram);
                }),
                Together(() =>
                {
                    pair.Server.Transport.Dispose();
                    pair.Client.Transport.Dispose();
                }));

            Task Together(Action action) => Task.Factory.StartNew(() =>
            {
                start.SignalAndWait(TimeSpan.FromMinutes(1));
                for (var i = 0; i < 20; i++)
                    action();
            }, TaskCreationOptions.LongRunning);
        }
    }

    [Fact]
    public void ACertificateThatIsDisposedOf_StillServesItsTransports()
    {
        using var ours = DtlsCertificate.Create();
        var theirs = DtlsCertificate.Create();
        using var client = new DtlsPeer(DtlsRole.Client, ours.Fingerprint, _clock, theirs);
        using var server = new DtlsPeer(DtlsRole.Server, theirs.Fingerprint, _clock, ours);
        using var pair = new DtlsPair(client, server);
        theirs.Dispose();
        pair.Start();
        pair.Exchange();
        Assert.True(pair.Connected);
    }

    [Fact]
    public void NothingIsAllocatedPerRecord()
    {
        var pump = new Pump();
        using var pair = DtlsPair.Connect(_clock);
        var before = 0L;
        pair.Client.CarryRaw = pump.Hold;
        pair.Server.Quiet = true;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(pair.Client.Transport.TrySend(pump.Message));
            pair.Server.Transport.OnDatagram(pump.Held);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200, pair.Server.QuietlyReceived);
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha-1 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13")]
    [InlineData("sha-256 00:01")]
    [InlineData("sha-384" + " 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F")]
    [InlineData("sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1G")]
    [InlineData("sha-256 00-01-02-03-04-05-06-07-08-09-0A-0B-0C-0D-0E-0F-10-11-12-13-14-15-16-17-18-19-1A-1B-1C-1D-1E-1F")]
    public void AFingerprintThatIsNoSha256_IsRefused(string fingerprint)
    {
        Assert.False(DtlsFingerprint.TryParse(fingerprint, out _));
        Assert.Throws<ArgumentException>(() => new DtlsTransport(Certificate, DtlsRole.Server, fingerprint, new Pump(), _clock));
    }

    [Fact]
    public void AFingerprint_IsReadInEitherCase()
    {
        Assert.Matches("^sha-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$", Certificate.Fingerprint);
        Assert.True(DtlsFingerprint.TryParse(Certificate.Fingerprint.ToLowerInvariant().Replace("sha", "SHA"), out var fingerprint));
        Assert.Equal(Certificate.Fingerprint, fingerprint.ToString());
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

    /// <summary>A wire of one datagram that allocates nothing.</summary>
    private sealed class Pump : IDtlsSink
    {
        private readonly byte[] _buffer = new byte[2000];
        private int _length;

        public byte[] Message { get; } = new byte[1000];

        public ReadOnlySpan<byte> Held => _buffer.AsSpan(0, _length);

        public void Hold(ReadOnlySpan<byte> datagram)
        {
            datagram.CopyTo(_buffer);
            _length = datagram.Length;
        }

        public void Send(ReadOnlySpan<byte> datagram) => Hold(datagram);

        public void OnConnected(SrtpKeys keys) => Assert.Fail();

        public void OnData(ReadOnlySpan<byte> applicationData) => Assert.Fail();

        public void OnClosed(string reason) => Assert.Fail();
    }
}
