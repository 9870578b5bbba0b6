using System.Buffers.Binary;
using System.Globalization;
using VoiceGrains.WebRtc.Sctp;

namespace VoiceGrains.WebRtc.Tests.Sctp;

/// <summary>
/// Packets of a living association, damaged in the ways that a parser fears and given a right checksum, so that they reach the library's core.
/// VOICEGRAINS_FUZZ_SECONDS makes the run longer.
/// </summary>
public sealed class SctpFuzzTests
{
    private static readonly byte[] _chunkTypes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0x40, 0x80, 0x81, 0x82, 0x84, 0xc0, 0xc1, 0xc2, 0xff];

    internal static TimeSpan Budget { get; } = TimeSpan.FromSeconds(
        double.TryParse(Environment.GetEnvironmentVariable("VOICEGRAINS_FUZZ_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 0.5);

    [Fact]
    public async Task DamagedPackets_NeverHarmTheProcess_NorAnotherAssociation()
    {
        await using var unharmed = await new PacketLink().StartAsync();
        var channel = unharmed.Client.Association.Open("bystander", DataChannelOptions.Reliable);
        var until = DateTime.UtcNow + Budget;
        var rounds = 0;
        long damaged = 0;
        while (DateTime.UtcNow < until || damaged < 100)
            damaged += await PlayAsync(new Random(++rounds + Environment.TickCount * (Budget.TotalSeconds > 5 ? 1 : 0)), until);
        Assert.True(unharmed.Client.Association.TrySend(channel, "still here"u8, isBinary: false));
        await Until.TrueAsync(() => unharmed.Server.Messages.Count == 1);
        Assert.Empty(unharmed.Server.Closed);
        TestContext.Current.SendDiagnosticMessage($"{rounds} associations, {damaged} damaged packets");
    }

    [Fact]
    public void AnyBytes_AreRefusedOrIgnored()
    {
        var random = new Random(7);
        var sink = new LinkEnd(new PacketLink(), isDtlsClient: true, TestOptions.Quick, TimeProvider.System);
        sink.Association.Start();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 80)];
            random.NextBytes(bytes);
            if (bytes.Length > 4 && random.Next(2) == 0)
                BinaryPrimitives.WriteUInt32BigEndian(bytes, (5000 << 16) | 5000);
            sink.Association.OnPacket(SctpPackets.WithChecksum(bytes));
        }
        Assert.True(sink.Association.Statistics.PacketsRefused > 10_000);
        Assert.Empty(sink.Closed);
        sink.Association.Dispose();
    }

    private async Task<long> PlayAsync(Random random, DateTime until)
    {
        long damaged = 0;
        var isHandshakeSpoiled = random.Next(4) == 0;
        var seen = new List<(LinkEnd To, byte[] Packet)>();
        await using var link = new PacketLink(seed: random.Next());
        link.Rewrite = (to, packet) =>
        {
            Keep(seen, to, packet);
            return isHandshakeSpoiled && Random.Shared.Next(2) == 0 ? [Damage(Random.Shared, seen, packet), packet] : [packet];
        };
        link.Client.Association.Start();
        link.Server.Association.Start();
        var patience = DateTime.UtcNow.AddSeconds(0.3);
        while (!(link.Client.Association.IsUp && link.Server.Association.IsUp) && DateTime.UtcNow < patience)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        for (var step = 0; step < 500 && link.Client.Closed.IsEmpty && link.Server.Closed.IsEmpty && (step < 20 || DateTime.UtcNow < until); step++)
        {
            Act(random, random.Next(2) == 0 ? link.Client : link.Server);
            var (to, packet) = Pick(random, seen);
            for (var copies = random.Next(4); copies > 0; copies--, damaged++)
                to.Association.OnPacket(Damage(random, seen, packet));      // while the carrier brings the rest
            if (step % 8 == 0)
                await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        Assert.Empty(link.Client.Faults);
        Assert.Empty(link.Server.Faults);
        return damaged;
    }

    private static void Act(Random random, LinkEnd end)
    {
        try
        {
            switch (random.Next(8))
            {
                case 0:
                    var options = new DataChannelOptions(random.Next(2) == 0, random.Next(3) == 0 ? 1u : null);
                    end.OwnChannels.Add(end.Association.Open("fuzz", options));
                    break;
                case 1 when end.OwnChannels.Count > 0:
                    end.Association.Close(end.OwnChannels[random.Next(end.OwnChannels.Count)]);
                    break;
                default:
                    if (end.OwnChannels.Count > 0)
                        end.Association.TrySend(end.OwnChannels[random.Next(end.OwnChannels.Count)], new byte[random.Next(random.Next(10) == 0 ? 60_000 : 300)], isBinary: true);
                    break;
            }
        }
        catch (InvalidOperationException)
        {
            // closed, or too many channels: as documented
        }
    }

    private static void Keep(List<(LinkEnd To, byte[] Packet)> seen, LinkEnd to, byte[] packet)
    {
        lock (seen)
        {
            if (seen.Count < 200)
                seen.Add((to, packet));
            else
                seen[Random.Shared.Next(seen.Count)] = (to, packet);
        }
    }

    private static (LinkEnd To, byte[] Packet) Pick(Random random, List<(LinkEnd To, byte[] Packet)> seen)
    {
        lock (seen)
            return seen[random.Next(Math.Max(0, seen.Count - 40), seen.Count)];
    }

    private static byte[] Damage(Random random, List<(LinkEnd To, byte[] Packet)> seen, byte[] original)
    {
        var packet = original.ToArray();
        for (var count = random.Next(1, 4); count > 0 && packet.Length > SctpPackets.HeaderBytes + 4; count--)
            packet = DamageOnce(random, packet, Pick(random, seen).Packet);
        if (random.Next(20) == 0 && packet.Length > 8)
            packet[random.Next(8)] ^= (byte)(1 << random.Next(8));
        return random.Next(50) == 0 ? packet : SctpPackets.WithChecksum(packet);
    }

    private static byte[] DamageOnce(Random random, byte[] packet, byte[] other)
    {
        var chunks = SctpPackets.Chunks(packet);
        var (start, length) = chunks.Count > 0 ? chunks[random.Next(chunks.Count)] : (SctpPackets.HeaderBytes, packet.Length - SctpPackets.HeaderBytes);
        switch (random.Next(9))
        {
            case 0:
                packet[random.Next(SctpPackets.HeaderBytes, packet.Length)] ^= (byte)(1 << random.Next(8));
                return packet;
            case 1:
                packet[start] = _chunkTypes[random.Next(_chunkTypes.Length)];
                return packet;
            case 2:
                packet[start + 1] = (byte)random.Next(256);
                return packet;
            case 3:                                     // another length, which a cut makes true
                var cut = random.Next(4, length + 1);
                BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(start + 2), (ushort)cut);
                return packet[..Math.Min(packet.Length, start + ((cut + 3) & ~3))];
            case 4:                                     // a small number in place of a word
                var at = start + (random.Next(length / 4) * 4);
                BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(at), random.Next(3) switch { 0 => 0, 1 => uint.MaxValue, _ => (uint)random.Next(70_000) });
                return packet;
            case 5:                                     // a number close to the one that was there: TSNs, sequence numbers, parameter lengths
                var half = start + (random.Next(length / 2) * 2);
                var near = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(half)) + random.Next(-4, 5);
                BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(half), (ushort)near);
                return packet;
            case 6 when packet.Length + other.Length < 4000: // a chunk of another packet follows
                return [.. packet, .. other.AsSpan(SctpPackets.HeaderBytes)];
            case 7 when packet.Length < 4000:           // twice the same chunk
                return [.. packet.AsSpan(0, start + length), .. new byte[-length & 3], .. packet.AsSpan(start)];
            default:                                    // a chunk of noise, whose length is right
                var noise = new byte[4 + (4 * random.Next(12))];
                random.NextBytes(noise);
                noise[0] = _chunkTypes[random.Next(_chunkTypes.Length)];
                BinaryPrimitives.WriteUInt16BigEndian(noise.AsSpan(2), (ushort)noise.Length);
                return [.. packet.AsSpan(0, start), .. noise, .. packet.AsSpan(start)];
        }
    }
}
