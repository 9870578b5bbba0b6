using System.Buffers;
using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>Cuts a byte stream into RFC 4571 frames, in a pooled buffer of its own that holds one longest frame at least.</summary>
/// <param name="maxLength">Longest frame, in bytes; a longer one breaks the stream.</param>
internal sealed class TcpFrameReader(int maxLength) : IDisposable
{
    private const int HeaderLength = 2;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(HeaderLength + maxLength);
    private int _start;
    private int _end;

    /// <summary>A frame was announced that is too long; nothing more is read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Where the next bytes go; never empty once <see cref="TryRead"/> has returned <see langword="false"/> on an unbroken stream.</summary>
    public Memory<byte> Free => _buffer.AsMemory(_end);

    public void Received(int length) => _end += length;

    /// <summary>Reads the next whole frame; valid until the next bytes are received.</summary>
    /// <returns><see langword="false"/>: more bytes are needed, or the stream is broken.</returns>
    public bool TryRead(out ReadOnlySpan<byte> frame)
    {
        frame = default;
        var available = _buffer.AsSpan(_start, _end - _start);
        if (available.Length >= HeaderLength && !IsBroken)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(available);
            if (length > maxLength)
            {
                IsBroken = true;
                return false;
            }
            if (available.Length >= HeaderLength + length)
            {
                frame = available.Slice(HeaderLength, length);
                _start += HeaderLength + length;
                return true;
            }
        }
        available.CopyTo(_buffer);   // what is left of a frame goes to the front: it fits with its rest
        (_start, _end) = (0, available.Length);
        return false;
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
