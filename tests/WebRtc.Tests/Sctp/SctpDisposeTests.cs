using System.Runtime.CompilerServices;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

/// <summary>Associations end while packets, messages and timers of theirs are under way: the place where integrations of usrsctp use freed memory.</summary>
public sealed class SctpDisposeTests
{
    [Fact]
    public async Task DisposedUnderLoad_FromManyThreads_NothingIsUsedAfterwards()
    {
        const int Workers = 4;
        var until = DateTime.UtcNow + SctpFuzzTests.Budget;
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 5 || DateTime.UtcNow < until; round++)
                await DisposeInTheMiddleAsync(random);
        })));
    }

    [Fact]
    public async Task DisposedInItsOwnCallback_Ends()
    {
        await using var link = await new PacketLink().StartAsync();
        link.Server.Received = _ => link.Server.Association.Dispose();
        var channel = link.Client.Association.Open("c", DataChannelOptions.Reliable);
        for (var message = 0; message < 10; message++)
            link.Client.Association.TrySend(channel, "x"u8, isBinary: true);
        await Until.TrueAsync(() => link.Client.Closed.Count == 1);
        Assert.Single(link.Server.Messages);
        Assert.Empty(link.Server.Closed);
    }

    [Fact]
    public async Task LatePackets_OfADisposedAssociation_FindNobody()
    {
        List<byte[]> packets = [];
        var link = new PacketLink();
        link.Rewrite = (_, packet) =>
        {
            packets.Add(packet);
            return [packet];
        };
        await link.StartAsync();
        var client = link.Client;
        await link.DisposeAsync();
        var messages = client.Association.Statistics;
        foreach (var packet in packets)
            client.Association.OnPacket(packet);
        client.Association.Start();
        Assert.Equal(messages, client.Association.Statistics);
        Assert.False(client.Association.IsUp);
    }

    [Fact]
    public async Task DisposedAssociation_IsForgotten()
    {
        var association = await MakeAndDisposeAsync();
        // The timers' thread may be looking at it just now.
        await Until.TrueAsync(() =>
        {
            GC.Collect();
            return !association.IsAlive;
        });
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> MakeAndDisposeAsync()
    {
        await using var link = await new PacketLink().StartAsync();
        return new WeakReference(link.Client.Association);
    }

    private static async Task DisposeInTheMiddleAsync(Random random)
    {
        await using var link = new PacketLink(new LinkFaults(Loss: 0.05, Duplicates: 0.05, Reordered: 0.05), seed: random.Next());
        link.Client.Association.Start();
        link.Server.Association.Start();
        var channel = link.Client.Association.Open("load", DataChannelOptions.Reliable);
        link.Server.Received = back => link.Server.Association.TrySend(back, new byte[3000], isBinary: true);
        using var stop = new CancellationTokenSource();
        var senders = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (!link.Client.Association.TrySend(channel, new byte[5000], isBinary: true))
                    await Task.Delay(1);
            }
        })).ToArray();
        await Task.Delay(random.Next(30));              // any moment, the handshake's too
        var first = random.Next(2) == 0 ? link.Client : link.Server;
        await Task.WhenAll(Task.Run(first.Association.Dispose), Task.Run(first.Association.Dispose));
        await Task.Delay(random.Next(5));
        await stop.CancelAsync();
        await Task.WhenAll(senders);
        Assert.Equal(DataChannelState.Closed, first == link.Client ? channel.State : DataChannelState.Closed);
        Assert.Empty(link.Client.Faults);
        Assert.Empty(link.Server.Faults);
    }
}
