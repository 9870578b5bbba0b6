namespace VoiceGrains.Media;

/// <summary>A pooled slot for one packet. It travels from the receiving thread to the playing one and back; only the thread that has it touches it.</summary>
internal sealed class ReceivedPacket
{
    /// <summary>The longest packet held: no datagram on a usual path brings a longer one.</summary>
    public const int MaxBytes = 1_500;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>As on the wire.</summary>
    public ushort Sequence { get; private set; }

    /// <summary>As on the wire.</summary>
    public uint Timestamp { get; private set; }

    /// <summary>Samples of 48 kHz by the local clock.</summary>
    public long Arrival { get; private set; }

    /// <summary>Which remote stream it is of: grows with each <see cref="AudioReceiver.Reset"/>.</summary>
    public int Stream { get; private set; }

    /// <summary>Sequence number without wrap, in the count of the playing thread.</summary>
    public long Index { get; set; }

    /// <summary>Timestamp without wrap, likewise.</summary>
    public long Position { get; set; }

    /// <summary>Which base the timestamps have: only packets of the same one can be compared.</summary>
    public int Timeline { get; set; }

    public void Fill(ushort sequence, uint timestamp, ReadOnlySpan<byte> bytes, long arrival, int stream)
    {
        // Grows to the size that the sender's packets have, so that a thousand streams of speech do not hold a thousand times the worst case.
        if (_bytes.Length < bytes.Length)
            _bytes = new byte[bytes.Length <= 160 ? 160 : bytes.Length <= 320 ? 320 : MaxBytes];
        bytes.CopyTo(_bytes);
        (Sequence, Timestamp, Length, Arrival, Stream) = (sequence, timestamp, bytes.Length, arrival, stream);
    }
}
