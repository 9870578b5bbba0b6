namespace VoiceGrains.WebRtc.Rtp;

/// <summary>
/// The latest packets of one stream as they went out, for a receiver that asks for some again (RFC 4585 §6.2.1). They are kept protected: encrypting a packet of
/// the same number anew would give the key stream away, and a receiver that has it already refuses the copy as a replay.
/// </summary>
/// <remarks>
/// One thread keeps, one other takes, and neither waits for the other: where both want the same slot the latecomer does without. Nothing is allocated once the
/// sender's longest packets were seen. At most half as many packets are given out as a stream of 20 ms sends, each twice, so that asking amplifies little.
/// </remarks>
internal sealed class RetransmissionBuffer
{
    /// <summary>Packets kept, 1.28 s of 20 ms each: more than any receiver of live speech waits.</summary>
    internal const int Slots = 64;

    /// <summary>How often one packet is given out.</summary>
    internal const int MostResends = 2;

    internal const int ResendsPerSecond = 25;
    internal const int ResendBurst = 10;

    private readonly Slot[] _slots = new Slot[Slots];
    private readonly TokenBucket _allowance;

    public RetransmissionBuffer(TimeProvider clock)
    {
        _allowance = new TokenBucket(ResendsPerSecond, ResendBurst, clock);
        for (var i = 0; i < Slots; i++)
            _slots[i] = new Slot();
    }

    /// <summary>Keeps a copy of a packet that was just sent.</summary>
    public void Keep(ushort sequence, ReadOnlySpan<byte> datagram)
    {
        var slot = _slots[sequence % Slots];
        if (!slot.TryEnter())
            return;
        slot.Fill(sequence, datagram);
        slot.Leave();
    }

    /// <summary>Copies a packet out to be sent again. False: it is gone, was sent often enough, or too much is asked for.</summary>
    /// <param name="length">Bytes written.</param>
    public bool TryTake(ushort sequence, Span<byte> datagram, out int length)
    {
        length = 0;
        var slot = _slots[sequence % Slots];
        if (!slot.TryEnter())
            return false;
        var isTaken = slot.Holds(sequence) && _allowance.TryTake() && slot.TryCopy(datagram, out length);
        slot.Leave();
        return isTaken;
    }

    private sealed class Slot
    {
        private byte[] _bytes = [];
        private int _length;
        private int _resends;
        private ushort _sequence;
        private int _isBusy;

        public bool TryEnter() => Interlocked.CompareExchange(ref _isBusy, 1, 0) == 0;

        public void Leave() => Volatile.Write(ref _isBusy, 0);

        public bool Holds(ushort sequence) => _length > 0 && _sequence == sequence && _resends < MostResends;

        public void Fill(ushort sequence, ReadOnlySpan<byte> datagram)
        {
            if (_bytes.Length < datagram.Length)
                _bytes = new byte[datagram.Length <= 192 ? 192 : datagram.Length <= 384 ? 384 : Math.Max(datagram.Length, 1_500)];
            datagram.CopyTo(_bytes);
            (_sequence, _length, _resends) = (sequence, datagram.Length, 0);
        }

        public bool TryCopy(Span<byte> datagram, out int length)
        {
            length = _length;
            _resends++;
            return _bytes.AsSpan(0, _length).TryCopyTo(datagram);
        }
    }
}
