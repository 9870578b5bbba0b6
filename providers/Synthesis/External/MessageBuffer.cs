using System.Buffers;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>One message as its parts come, in a pooled buffer that grows up to a bound.</summary>
internal sealed class MessageBuffer(int mostBytes) : IDisposable
{
    private const int FirstBytes = 64 * 1024;
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBytes, mostBytes));
    private int _length;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    /// <summary>Whether there is no room for more, and may be none.</summary>
    public bool IsFull => _length >= mostBytes;

    public void Clear() => _length = 0;

    /// <summary>Room for the next part; never empty unless <see cref="IsFull"/>.</summary>
    public Memory<byte> Room()
    {
        if (_length == _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)_bytes.Length * 2, mostBytes));
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }
        return _bytes.AsMemory(_length, Math.Min(_bytes.Length, mostBytes) - _length);
    }

    public void Advance(int count) => _length += count;

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
    }
}
