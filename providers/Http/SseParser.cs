namespace VoiceGrains.Providers.Http;

/// <summary>Outcome of <see cref="SseParser.Read"/>.</summary>
internal enum SseResult : byte { NeedMore, Event, LineTooLong, StreamTooLong }

/// <summary>
/// Takes server-sent events (WHATWG HTML §9.2.6) apart as bytes arrive, however they are cut. Gives the data of each event; types, ids and comments are
/// skipped. Lines may end in CR, LF or CRLF. Memory is bounded by the longest line and event.
/// </summary>
/// <param name="maxEventBytes">Longest line, and most data of one event.</param>
/// <param name="maxStreamBytes">Most bytes of the whole stream.</param>
internal sealed class SseParser(int maxEventBytes, long maxStreamBytes)
{
    private static readonly byte[] Utf8Mark = [0xEF, 0xBB, 0xBF];

    private byte[] _pending = new byte[4096];   // bytes not yet read as lines
    private int _start;                         // of the line being read
    private int _scanned;                       // no line end lies before this
    private int _end;
    private byte[] _data = new byte[4096];
    private int _dataLength;
    private bool _hasData;
    private bool _skipLineFeed;                 // the line ended in CR: an LF right after belongs to it
    private bool _isFirstLine = true;
    private long _total;

    /// <summary>Adds received bytes; they are copied. Read until <see cref="SseResult.NeedMore"/> before adding more.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _total += bytes.Length;
        if (_start > 0)
        {
            _pending.AsSpan(_start, _end - _start).CopyTo(_pending);
            (_scanned, _end, _start) = (_scanned - _start, _end - _start, 0);
        }
        if (_end + bytes.Length > _pending.Length) Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _end + bytes.Length));
        bytes.CopyTo(_pending.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Gives the next event. <paramref name="data"/> is valid until the next call.</summary>
    public SseResult Read(out ReadOnlyMemory<byte> data)
    {
        data = default;
        if (_total > maxStreamBytes) return SseResult.StreamTooLong;
        while (TryReadLine(out var line))
        {
            if (line.Length > maxEventBytes) return SseResult.LineTooLong;
            if (line.IsEmpty)
            {
                if (TryDispatch(out data)) return SseResult.Event;
                continue;
            }
            if (!TryAddField(line)) return SseResult.LineTooLong;
        }
        return _end - _start > maxEventBytes ? SseResult.LineTooLong : SseResult.NeedMore;
    }

    /// <summary>Gives the event that the end of the stream left without its blank line, since some servers omit it.</summary>
    public bool TryReadLast(out ReadOnlyMemory<byte> data)
    {
        if (_end > _start && !TryAddField(_pending.AsSpan(_start, _end - _start)))
        {
            data = default;
            return false;
        }
        _start = _end;
        return TryDispatch(out data);
    }

    private bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (_skipLineFeed && _start < _end)
        {
            if (_pending[_start] == '\n') _start++;
            _skipLineFeed = false;
            _scanned = Math.Max(_scanned, _start);
        }
        var found = _pending.AsSpan(_scanned, _end - _scanned).IndexOfAny((byte)'\r', (byte)'\n');
        if (found < 0)
        {
            _scanned = _end;
            return false;
        }
        var lineEnd = _scanned + found;
        line = _pending.AsSpan(_start, lineEnd - _start);
        _skipLineFeed = _pending[lineEnd] == '\r';
        _start = _scanned = lineEnd + 1;
        if (_isFirstLine && line.StartsWith(Utf8Mark)) line = line[Utf8Mark.Length..];
        _isFirstLine = false;
        return true;
    }

    /// <summary>Keeps a <c>data</c> field; false when the event grows too long.</summary>
    private bool TryAddField(ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (!(colon < 0 ? line : line[..colon]).SequenceEqual("data"u8)) return true;
        var value = colon < 0 ? [] : line[(colon + 1)..];
        if (value.StartsWith((byte)' ')) value = value[1..];
        var needed = _dataLength + (_hasData ? 1 : 0) + value.Length;
        if (needed > maxEventBytes) return false;
        if (needed > _data.Length) Array.Resize(ref _data, Math.Max(_data.Length * 2, needed));
        if (_hasData) _data[_dataLength++] = (byte)'\n';
        value.CopyTo(_data.AsSpan(_dataLength));
        (_dataLength, _hasData) = (needed, true);
        return true;
    }

    private bool TryDispatch(out ReadOnlyMemory<byte> data)
    {
        data = _data.AsMemory(0, _dataLength);
        var has = _hasData;
        (_dataLength, _hasData) = (0, false);
        return has;
    }
}
