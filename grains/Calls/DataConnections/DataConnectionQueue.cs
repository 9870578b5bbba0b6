using System.Threading.Channels;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>
/// What waits to be sent over a data connection, bounded in bytes. Messages go before sound and keep their order. Of sound that does not fit the oldest
/// makes room. Of messages that do not fit the oldest make room while the connection is away; while it is open it is too slow, and
/// <see cref="HasOverflowed"/> says so. Adding never waits, and sound allocates nothing. Thread-safe; one reader.
/// </summary>
/// <param name="mostMessageBytes">Of all waiting messages.</param>
/// <param name="audioFrameBytes">Of each frame; 0: there is no sound.</param>
/// <param name="mostAudioFrames">That wait.</param>
internal sealed class DataConnectionQueue(int mostMessageBytes, int audioFrameBytes = 0, int mostAudioFrames = 0)
{
    /// <summary>Small messages cost more than their bytes.</summary>
    private const int MostMessages = 4_096;

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _messages = new();
    private readonly byte[] _audio = new byte[audioFrameBytes * mostAudioFrames];
    /// <summary>Rung once for any number of additions.</summary>
    private readonly Channel<bool> _bell = Channel.CreateUnbounded<bool>(new() { SingleReader = true });
    private bool _isRung;
    private bool _isOpen;
    private bool _isCompleted;
    private int _messageBytes;
    private int _firstFrame;
    private int _frames;
    private DroppedData _dropped;

    public int AudioFrameBytes => audioFrameBytes;

    /// <summary>Messages came faster than the open connection took them.</summary>
    public bool HasOverflowed { get; private set; }

    /// <summary>False: the open connection is too slow, and should be closed.</summary>
    public bool TryAddMessage(byte[] json)
    {
        lock (_gate)
        {
            if (_isCompleted || json.Length > mostMessageBytes)
            {
                _dropped.Messages++;
                return true;
            }
            if (_messageBytes + json.Length > mostMessageBytes || _messages.Count == MostMessages)
            {
                if (_isOpen)
                {
                    HasOverflowed = true;
                    _dropped.Messages++;
                    return false;
                }
                while (_messageBytes + json.Length > mostMessageBytes || _messages.Count == MostMessages) DropMessage();
            }
            _messages.Enqueue(json);
            _messageBytes += json.Length;
            Ring();
            return true;
        }
    }

    /// <param name="frame">Of <see cref="AudioFrameBytes"/>.</param>
    public void AddAudio(ReadOnlySpan<byte> frame)
    {
        lock (_gate)
        {
            if (_isCompleted) return;
            if (_frames == mostAudioFrames) DropFrame();
            frame.CopyTo(_audio.AsSpan((_firstFrame + _frames) % mostAudioFrames * audioFrameBytes));
            _frames++;
            Ring();
        }
    }

    /// <summary>Returns when there may be something to take, or <see cref="Suspend"/> or <see cref="Complete"/> was called.</summary>
    public async ValueTask WaitAsync()
    {
        // Without a token, so that the channel can use the same waiter again.
        await _bell.Reader.WaitToReadAsync(CancellationToken.None);
        lock (_gate)
        {
            _bell.Reader.TryRead(out _);
            _isRung = false;
        }
    }

    /// <summary>The next message, else the next frame of sound.</summary>
    /// <param name="audio">Room for a frame.</param>
    /// <param name="message">Null: sound was copied.</param>
    /// <returns>False: nothing waits, or the connection is suspended.</returns>
    public bool TryTake(Span<byte> audio, out byte[]? message)
    {
        lock (_gate)
        {
            message = null;
            if (!_isOpen) return false;
            if (_messages.TryDequeue(out message))
            {
                _messageBytes -= message.Length;
                return true;
            }
            if (_frames == 0) return false;
            _audio.AsSpan(_firstFrame * audioFrameBytes, audioFrameBytes).CopyTo(audio);
            RemoveFrame();
            return true;
        }
    }

    /// <summary>The connection is there: what waits is sent.</summary>
    public void Open()
    {
        lock (_gate)
        {
            (_isOpen, HasOverflowed) = (true, false);
            Ring();
        }
    }

    /// <summary>The connection is gone: what comes waits for the next one. After an overflow the next one begins with nothing that is old.</summary>
    public void Suspend()
    {
        lock (_gate)
        {
            _isOpen = false;
            while (HasOverflowed && _messages.Count > 0) DropMessage();
            Ring();
        }
    }

    /// <summary>Nothing more comes; what waits can still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isCompleted = true;
            Ring();
        }
    }

    /// <summary>Nothing more will be taken.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            while (_messages.Count > 0) DropMessage();
            while (_frames > 0) DropFrame();
        }
    }

    public bool IsOpen
    {
        get
        {
            lock (_gate) return _isOpen;
        }
    }

    public bool IsCompleted
    {
        get
        {
            lock (_gate) return _isCompleted;
        }
    }

    /// <summary>What was dropped since the last look.</summary>
    public DroppedData TakeDropped()
    {
        lock (_gate)
        {
            var dropped = _dropped;
            _dropped = default;
            return dropped;
        }
    }

    private void DropMessage()
    {
        _messageBytes -= _messages.Dequeue().Length;
        _dropped.Messages++;
    }

    private void DropFrame()
    {
        RemoveFrame();
        _dropped.AudioBytes += audioFrameBytes;
    }

    private void RemoveFrame()
    {
        _firstFrame = (_firstFrame + 1) % mostAudioFrames;
        _frames--;
    }

    private void Ring()
    {
        if (_isRung) return;
        _isRung = true;
        _bell.Writer.TryWrite(true);
    }
}

/// <summary>What a data connection did not get.</summary>
internal record struct DroppedData(int Messages, long AudioBytes)
{
    public readonly bool Any => Messages > 0 || AudioBytes > 0;

    public static DroppedData operator +(DroppedData a, DroppedData b) => new(a.Messages + b.Messages, a.AudioBytes + b.AudioBytes);
}
