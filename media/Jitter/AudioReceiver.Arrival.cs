namespace VoiceGrains.Media;

/// <summary>What arrived, brought into order. All on the taking thread.</summary>
public sealed partial class AudioReceiver
{
    private const int MostExcess = 300 * OpusPacket.ClockRateHz / 1000;     // beyond the longest target; more would be heard as a lag
    private const int LateTick = OpusPacket.ClockRateHz / 400;              // a pacer's ticks are not exact either
    private const int JumpSamples = OpusPacket.ClockRateHz;                 // a transit that differs by a second is another base of timestamps
    private const int JumpWhileSilent = OpusPacket.ClockRateHz / 4;
    private const int MaxDropout = 3_000;                                   // RFC 3550 A.1
    private const int MaxMisorder = 1_000;
    private const int MostBehind = 10;
    private readonly ReorderBuffer _buffer = new(Slots);
    private readonly DelayEstimator _delays;
    private readonly int _maxWait;
    private bool _knowsStream;
    private int _timeline;
    private int _streamSeen;
    private long _highestIndex;
    private long _highestPosition;
    private int _behind;                // packets in a row that came too late to be played, while nothing was
    private ushort _lastBehind;
    private int _suspect = -1;          // the sequence number that would confirm a jump

    private void Receive()
    {
        while (_arrived.TryRead(out var packet))
        {
            _packets.Increment();
            if (packet.Stream != _streamSeen)
                Forget(packet.Stream);
            if (!TryNumber(packet) || !TryKeep(packet))
                _free.TryWrite(packet);
        }
        DropExcess();
    }

    /// <summary>Unwraps the packet's numbers. False: they make no sense, and nothing confirms them.</summary>
    private bool TryNumber(ReceivedPacket packet)
    {
        var step = (short)(packet.Sequence - (ushort)_highestIndex);
        var isFar = step is > MaxDropout or < -MaxMisorder;
        if (_knowsStream && isFar && !_isSilent && packet.Sequence != _suspect)
        {
            _suspect = (ushort)(packet.Sequence + 1);
            _discarded.Increment();
            return false;
        }
        if (!_knowsStream || isFar || IsBehindForGood(packet, _highestIndex + step))
        {
            Forget(packet.Stream);
            _knowsStream = true;
            (_highestIndex, _highestPosition) = (packet.Sequence, packet.Timestamp);
            _buffer.Restart(packet.Sequence);
            step = 0;
        }
        _suspect = -1;
        packet.Index = _highestIndex + step;
        packet.Position = _highestPosition + (int)(packet.Timestamp - (uint)_highestPosition);
        if (step > 0)
            (_highestIndex, _highestPosition) = (packet.Index, packet.Position);
        return true;
    }

    /// <summary>Whether the sender counts from an earlier number again: nothing is left to play, and yet packets come one after the other that seem late.</summary>
    private bool IsBehindForGood(ReceivedPacket packet, long index)
    {
        if (!_isSilent || index >= _buffer.Next)
            _behind = 0;
        else
            _behind = packet.Sequence == (ushort)(_lastBehind + 1) ? _behind + 1 : 1;
        _lastBehind = packet.Sequence;
        return _behind > MostBehind;
    }

    /// <summary>Puts the packet in its place. False: it has none.</summary>
    private bool TryKeep(ReceivedPacket packet)
    {
        if (_buffer.Contains(packet.Index))
        {
            _duplicates.Increment();
            return false;
        }
        NoteDelay(packet);
        if (packet.Index < _buffer.Next)
        {
            // Before the first packet was played an earlier one may still become it.
            if (_hasPlayed || _buffer.Last is { } last && last.Index - packet.Index >= Slots)
            {
                _late.Increment();
                return false;
            }
            _buffer.Rewind(packet.Index);
        }
        while (!_buffer.Reaches(packet.Index) && _buffer.Count > 0)
            Drop();
        if (_buffer.Count == 0 && packet.Index - _buffer.Next >= Slots)
        {
            _lost.Add(packet.Index - Slots + 1 - _buffer.Next);
            _buffer.Restart(packet.Index - Slots + 1);
        }
        _buffer.Insert(packet);
        return true;
    }

    private void NoteDelay(ReceivedPacket packet)
    {
        var transit = packet.Arrival - packet.Position;
        if (_delays.Known > 0 && Math.Abs(transit - _delays.Reference) > (_isSilent ? JumpWhileSilent : JumpSamples))
            Rebase();
        packet.Timeline = _timeline;
        _delay -= _delays.Add(transit, packet.Arrival, _piece + LateTick);
    }

    /// <summary>What waits too long is dropped from its old end: all of it would be late from now on.</summary>
    private void DropExcess()
    {
        var most = _hasPlayed ? _maxWait : _delays.Target + OpusPacket.ClockRateHz / 50;
        while (_buffer.Count > 1 && _buffer.First is { } first && first.Timeline == _timeline && DelayOf(first.Position) > most)
            Drop();
    }

    private void Rebase()
    {
        _delays.Rebase();
        _timeline++;
    }

    private void Drop()
    {
        var packet = _buffer.Take(out var lost);
        _lost.Add(lost);
        _discarded.Increment();
        _free.TryWrite(packet);
        if (_buffer.First is { } next)
            _position = next.Position;
    }

    /// <summary>Another stream, or the same one with other numbers.</summary>
    private void Forget(int stream)
    {
        while (_buffer.Count > 0)
        {
            _discarded.Increment();
            _free.TryWrite(_buffer.Take(out _));
        }
        if (stream != _streamSeen)
            _decoder.Reset();
        (_streamSeen, _knowsStream, _suspect, _behind) = (stream, false, -1, 0);
        Rebase();
        BeSilent();
        _hasPlayed = false;
    }

    /// <summary>How long after the fastest packet of this timestamp would have come it is now.</summary>
    private long DelayOf(long position) => _now - _delays.Reference - position;
}
