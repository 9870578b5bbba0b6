using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Damaged, repeated, reordered and invented datagrams at every point of a connection: nothing throws, and nothing false is delivered.</summary>
public sealed class DtlsFuzzTests
{
    private readonly ManualClock _clock = new();

    [Fact]
    public void DamagedHandshakes_ConnectTrulyOrNotAtAll()
    {
        var cases = 0;
        var connected = 0;
        foreach (var seed in FuzzTime.Cases(shortRun: 100))
        {
            Run(seed, random => connected += Handshake(random) ? 1 : 0);
            cases++;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{cases} handshakes, {connected} of them to the end");
    }

    [Fact]
    public void DamagedRecords_NeverReachTheSink_AndNeverBreakAConnection()
    {
        DtlsPair? pair = null;
        var cases = 0;
        foreach (var seed in FuzzTime.Cases(shortRun: 400))
        {
            cases++;
            Run(seed, random =>
            {
                if (random.Next(100) == 0)
                {
                    pair?.Dispose();
                    pair = null;
                }
                Records(pair ??= DtlsPair.Connect(_clock), random);
            });
        }
        pair?.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine($"{20 * cases} damaged datagrams");
    }

    private static void Run(int seed, Action<Random> test)
    {
        try
        {
            test(new Random(seed));
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"Seed {seed}.", exception);
        }
    }

    private bool Handshake(Random random)
    {
        using var pair = new DtlsPair(_clock);
        pair.Start();
        var honest = random.Next(8);
        long toServer = 0, fromServer = 0;
        List<byte[]> seen = [];
        for (var step = 0; step < 12; step++)
        {
            var (from, to) = pair.Client.Outgoing.Count > 0 ? (pair.Client, pair.Server) : (pair.Server, pair.Client);
            if (!from.Outgoing.TryDequeue(out var datagram))
                break;
            seen.Add(datagram);
            var sent = step < honest ? datagram : Damage(random, datagram, seen);
            Count();
            to.Transport.OnDatagram(sent);
            if (random.Next(4) == 0)
                to.Transport.OnDatagram(datagram);

            void Count()
            {
                if (to == pair.Server)
                    toServer += sent.Length;
                else
                    fromServer += datagram.Length;
            }
        }
        // OpenSSL answers a flight with a flight, once: at worst a ClientHello with the certificate and its company.
        Assert.InRange(fromServer, 0, 20 * toServer + 1200);
        if (pair.Connected)
        {
            Assert.Equal(pair.Client.Keys!.Value.Inbound, pair.Server.Keys!.Value.Outbound);
            Assert.Equal(pair.Client.Keys.Value.Outbound, pair.Server.Keys.Value.Inbound);
        }
        Assert.Empty(pair.Client.Received);
        Assert.Empty(pair.Server.Received);
        return pair.Connected;
    }

    private static void Records(DtlsPair pair, Random random)
    {
        var message = new byte[random.Next(1, 1100)];
        random.NextBytes(message);
        var (from, to) = random.Next(2) == 0 ? (pair.Client, pair.Server) : (pair.Server, pair.Client);
        Assert.True(from.Transport.TrySend(message));
        var datagram = from.Outgoing.Dequeue();
        var before = to.Received.Count;
        for (var i = 0; i < 20; i++)
        {
            var damaged = Damage(random, datagram, []);
            if (!damaged.AsSpan().StartsWith(datagram))   // what is put behind a whole record leaves that record true
                to.Transport.OnDatagram(damaged);
        }
        Assert.Equal(before, to.Received.Count);
        Assert.Empty(to.Outgoing);
        Assert.Empty(to.Closed);

        to.Transport.OnDatagram(datagram);
        Assert.Equal(before + 1, to.Received.Count);
        Assert.Equal(message, to.Received[^1]);
        to.Received.Clear();
    }

    /// <summary>A changed copy, one cut short, bytes of no sense behind a true record header, an older datagram, or this one before an older one.</summary>
    private static byte[] Damage(Random random, byte[] datagram, List<byte[]> seen)
    {
        switch (random.Next(seen.Count > 0 ? 6 : 4))
        {
            case 0:
                return datagram[..random.Next(datagram.Length)];
            case 1:
                var invented = (byte[])datagram.Clone();
                random.NextBytes(invented.AsSpan(Math.Min(13, invented.Length)));
                return invented;
            case 4:
                return seen[random.Next(seen.Count)];
            case 5:
                return [.. FuzzTime.Mutate(random, datagram), .. seen[random.Next(seen.Count)]];
            default:
                return FuzzTime.Mutate(random, datagram);
        }
    }
}
