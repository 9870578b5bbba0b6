using VoiceGrains.Media;

namespace VoiceGrains.Tests.Fakes.Network;

/// <summary>A packet as it left the sender, at a time of the sender's clock.</summary>
internal sealed record SentPacket(TimeSpan At, ushort Sequence, uint Timestamp, byte[] Opus);

/// <summary>
/// A network between an Opus sender and an <see cref="AudioReceiver"/>, on a clock that it moves itself: hours pass in seconds, and the same seed gives the
/// same losses, delays and duplicates.
/// </summary>
/// <param name="advance">Moves the receiver's clock.</param>
internal sealed class JitteryNetwork(Action<TimeSpan> advance)
{
    public double LossPercent { get; init; }

    /// <summary>Each packet is delayed by up to so much, each time independently.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Packets that come twice, the second time with a delay of its own.</summary>
    public double DuplicatePercent { get; init; }

    /// <summary>How much faster the sender's clock runs than the receiver's, in millionths.</summary>
    public double DriftPpm { get; init; }

    /// <summary>A delay on top of the jitter, by when the packet was sent. Default none.</summary>
    public Func<TimeSpan, TimeSpan> Delay { get; init; } = _ => TimeSpan.Zero;

    public int Seed { get; init; } = 1;

    /// <summary>What a receiver takes.</summary>
    public TimeSpan Piece { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Encodes sound into packets of 20 ms.</summary>
    public static SentPacket[] Encode(ReadOnlySpan<short> pcm, OpusEncoderOptions options, ushort firstSequence = 65_530, uint firstTimestamp = uint.MaxValue - 2_000)
    {
        using var encoder = new OpusEncoder(options);
        var packets = new SentPacket[pcm.Length / encoder.FrameSamples];
        Span<byte> bytes = stackalloc byte[OpusEncoder.MaxPacketBytes];
        for (var i = 0; i < packets.Length; i++)
        {
            var length = encoder.Encode(pcm.Slice(i * encoder.FrameSamples, encoder.FrameSamples), bytes);
            packets[i] = new(TimeSpan.FromMilliseconds(20 * i), (ushort)(firstSequence + i), firstTimestamp + (uint)(960 * i), bytes[..length].ToArray());
        }
        return packets;
    }

    /// <summary>What a decoder makes of the packets when all come. (Its encoder takes rumble out of a recording, which can be a decibel.)</summary>
    public static short[] Decode(IReadOnlyCollection<SentPacket> packets, int rateHz)
    {
        using var decoder = new OpusDecoder(rateHz);
        var heard = new short[packets.Count * decoder.MaxSamples];
        var samples = 0;
        foreach (var packet in packets)
            samples += decoder.Decode(packet.Opus, heard.AsSpan(samples));
        return heard[..samples];
    }

    /// <summary>Sends the packets through the network, and takes sound from the receiver until <paramref name="tail"/> after the last one was sent.</summary>
    public short[] Carry(IReadOnlyList<SentPacket> packets, AudioReceiver receiver, TimeSpan tail)
    {
        var piece = new short[(int)(receiver.SampleRateHz * Piece.TotalSeconds)];
        var heard = new List<short>();
        Carry(packets, receiver, tail, () =>
        {
            receiver.Take(piece);
            heard.AddRange(piece);
        });
        return [.. heard];
    }

    /// <summary>As <see cref="Carry(IReadOnlyList{SentPacket}, AudioReceiver, TimeSpan)"/>, with whatever <paramref name="take"/> does for each piece.</summary>
    public void Carry(IReadOnlyList<SentPacket> packets, AudioReceiver receiver, TimeSpan tail, Action take)
    {
        var random = new Random(Seed);
        var underWay = new PriorityQueue<SentPacket, TimeSpan>();
        var (sent, now) = (0, TimeSpan.Zero);
        var end = Local(packets[^1].At) + tail;
        for (var tick = Piece / 2; tick < end; tick += Piece)
        {
            for (; sent < packets.Count && Local(packets[sent].At) <= tick; sent++)
                Send(packets[sent], random, underWay);
            while (underWay.TryPeek(out var packet, out var at) && at <= tick)
            {
                underWay.Dequeue();
                Move(ref now, at);
                receiver.Put(packet.Sequence, packet.Timestamp, packet.Opus);
            }
            Move(ref now, tick);
            take();
        }
    }

    private void Send(SentPacket packet, Random random, PriorityQueue<SentPacket, TimeSpan> underWay)
    {
        if (random.NextDouble() * 100 < LossPercent)
            return;
        underWay.Enqueue(packet, Local(packet.At) + Delay(packet.At) + Jitter * random.NextDouble());
        if (random.NextDouble() * 100 < DuplicatePercent)
            underWay.Enqueue(packet, Local(packet.At) + Delay(packet.At) + Jitter * random.NextDouble());
    }

    private TimeSpan Local(TimeSpan senders) => senders / (1 + DriftPpm / 1e6);

    private void Move(ref TimeSpan now, TimeSpan to)
    {
        if (to <= now)
            return;
        advance(to - now);
        now = to;
    }
}
