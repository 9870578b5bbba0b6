using System.Buffers.Binary;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// Frames on their way to one TCP client, bounded in bytes. What does not fit is refused: old audio is worth less than none, and SCTP sends again.
/// </summary>
/// <param name="onFailed">Called once, on any thread, when the connection broke.</param>
internal sealed class TcpSendQueue(Socket socket, int capacity, TimeProvider clock, Action onFailed)
{
    private const int HeaderLength = 2;

    private readonly Lock _gate = new();
    private byte[] _filling = [];     // both are made by the first frame: a connection that never authenticates has none
    private byte[] _draining = [];
    private int _length;
    private bool _isSending;
    private bool _isClosed;
    private long _sendingSince;

    /// <summary>Queues one datagram behind its length. Any thread; does not block.</summary>
    /// <returns><see langword="false"/>: it does not fit, or the connection is closed.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_isClosed || _length + HeaderLength + datagram.Length > capacity)
                return false;
            if (_filling.Length == 0)
                _filling = new byte[capacity];
            BinaryPrimitives.WriteUInt16BigEndian(_filling.AsSpan(_length), (ushort)datagram.Length);
            datagram.CopyTo(_filling.AsSpan(_length + HeaderLength));
            _length += HeaderLength + datagram.Length;
            if (_isSending)
                return true;
            _isSending = true;
            _sendingSince = clock.GetTimestamp();
        }
        _ = DrainAsync();
        return true;
    }

    /// <summary>True when the client has taken nothing for <paramref name="limit"/> although something waits.</summary>
    public bool IsStalled(TimeSpan limit)
    {
        lock (_gate)
            return _isSending && clock.GetElapsedTime(_sendingSince) >= limit;
    }

    public void Close()
    {
        lock (_gate)
            _isClosed = true;
    }

    private async Task DrainAsync()
    {
        try
        {
            while (TryTake(out var waiting))
            {
                while (!waiting.IsEmpty)
                {
                    waiting = waiting[await socket.SendAsync(waiting, SocketFlags.None)..];
                    Volatile.Write(ref _sendingSince, clock.GetTimestamp());
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            onFailed();   // stays "sending": nothing more is sent
        }
    }

    /// <summary>Swaps the buffers, so that frames are queued into one while the other is sent.</summary>
    private bool TryTake(out ReadOnlyMemory<byte> waiting)
    {
        lock (_gate)
        {
            waiting = default;
            _isSending = _length > 0 && !_isClosed;
            if (!_isSending)
                return false;
            (_filling, _draining) = (_draining, _filling);
            waiting = _draining.AsMemory(0, _length);
            _length = 0;
            return true;
        }
    }
}
