using System.Collections.Concurrent;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Data, goodbyes, and threads, once there is a connection.</summary>
public sealed class DtlsTransportTests
{
    private const string WrongFingerprint =
        "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    private static readonly DtlsCertificate Certificate = DtlsCertificate.Create();

    private readonly ManualClock _clock = new();

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
        var wire = new Wire();
        var message = new byte[1000];
        using var pair = DtlsPair.Connect(_clock);
        var before = 0L;
        pair.Client.CarryRaw = wire.Hold;
        pair.Server.Quiet = true;
        for (var i = 0; i < 200; i++)
        {
            if (i == 100)
                before = GC.GetAllocatedBytesForCurrentThread();
            Assert.True(pair.Client.Transport.TrySend(message));
            pair.Server.Transport.OnDatagram(wire.Held);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(200, pair.Server.QuietlyReceived);
    }

    /// <summary>A wire of one datagram that allocates nothing.</summary>
    private sealed class Wire
    {
        private readonly byte[] _buffer = new byte[2000];
        private int _length;

        public ReadOnlySpan<byte> Held => _buffer.AsSpan(0, _length);

        public void Hold(ReadOnlySpan<byte> datagram)
        {
            datagram.CopyTo(_buffer);
            _length = datagram.Length;
        }
    }
}
