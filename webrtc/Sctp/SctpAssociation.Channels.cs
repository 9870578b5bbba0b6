using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>Channels: opening (RFC 8832), messages (RFC 8831 §6.6) and closing by stream reset (RFC 8831 §6.7).</summary>
public sealed partial class SctpAssociation
{
    private readonly bool _isDtlsClient;
    private readonly Dictionary<ushort, DataChannel> _channels = [];
    private readonly Queue<(DataChannel Channel, byte[] Message)> _controls = [];
    private readonly HashSet<ushort> _resets = [];
    private int _outgoingStreams;
    private bool _isDiscarding;
    private long _messagesSent;
    private long _messagesReceived;
    private long _messagesRefused;
    private long _packetsDropped;
    private long _packetsRefused;

    /// <summary>Opens a channel, at once or as soon as the association is up.</summary>
    /// <exception cref="InvalidOperationException">The association is closed, or as many channels as allowed are open.</exception>
    /// <exception cref="ArgumentException">The label or the options cannot be put on the wire.</exception>
    public DataChannel Open(string label, DataChannelOptions options)
    {
        var message = DcepMessage.WriteOpen(label, options);
        DataChannel channel;
        lock (_gate)
        {
            if (_isClosed || _isDisposed)
                throw new InvalidOperationException("The association is closed.");
            if (_channels.Count >= _options.MaxChannels)
                throw new InvalidOperationException($"An association has at most {_options.MaxChannels} channels.");
            channel = new DataChannel(FreeStream(), label, options, _isUp ? DataChannelState.Open : DataChannelState.Connecting);
            _channels.Add(channel.StreamId, channel);
            _controls.Enqueue((channel, message));
            PumpControls();
        }
        Flush();
        return channel;
    }

    /// <summary>
    /// Sends a message of at most <see cref="SctpOptions.MaxMessageBytes"/>. False: the channel is not open, the message is too long, or the send buffer
    /// has no room for it. Does not wait.
    /// </summary>
    public bool TrySend(DataChannel channel, ReadOnlySpan<byte> message, bool isBinary)
    {
        if (message.Length > _options.MaxMessageBytes)
            return false;
        int error;
        lock (_gate)
        {
            if (_socket is null || channel.State != DataChannelState.Open || !IsOurs(channel))
                return false;
            PumpControls();
            if (_controls.Count > 0)
                return false;                               // nothing may overtake the OPEN
            var protocol = PayloadProtocol.Of(isBinary, message.IsEmpty);
            error = _socket.Send(message.IsEmpty ? [0] : message, Attributes(channel, protocol));
        }
        Flush();
        if (error == 0)
            Interlocked.Increment(ref _messagesSent);
        return error == 0;
    }

    /// <summary>Closes a channel: what was sent is still delivered, then the peer closes its side. Idempotent.</summary>
    public void Close(DataChannel channel)
    {
        lock (_gate)
        {
            if (!IsOurs(channel) || channel.State is DataChannelState.Closing or DataChannelState.Closed)
                return;
            BeginClose(channel);
        }
        Flush();
    }

    private bool IsOurs(DataChannel channel) => _channels.TryGetValue(channel.StreamId, out var known) && ReferenceEquals(known, channel);

    private ushort FreeStream()
    {
        for (var id = _isDtlsClient ? 0 : 1; id < (_isUp ? _outgoingStreams : _options.StreamCount); id += 2)
        {
            if (!_channels.ContainsKey((ushort)id))
                return (ushort)id;
        }
        throw new InvalidOperationException("The peer offers no more streams.");
    }

    private static UsrSctp.SendAttributes Attributes(DataChannel channel, uint protocol)
    {
        const ushort LifetimePolicy = 1, RetransmissionPolicy = 3;
        var options = channel.Options;
        var attributes = new UsrSctp.SendAttributes
        {
            Valid = UsrSctp.SendInfoValid,
            Stream = channel.StreamId,
            NetworkOrderProtocol = BinaryPrimitives.ReverseEndianness(protocol),
        };
        if (protocol == PayloadProtocol.Control)
            return attributes;                              // always reliable and in order (RFC 8832 §6)
        if (!options.Ordered && channel.IsAcknowledged)
            attributes.Flags = UsrSctp.UnorderedFlag;
        if (options.MaxRetransmits is not null || options.MaxLifetime is not null)
        {
            attributes.Valid |= UsrSctp.ReliabilityInfoValid;
            attributes.ReliabilityPolicy = options.MaxLifetime is null ? RetransmissionPolicy : LifetimePolicy;
            attributes.ReliabilityValue = options.MaxRetransmits ?? DcepMessage.Milliseconds(options.MaxLifetime);
        }
        return attributes;
    }

    private void OnUp(int outgoingStreams)
    {
        lock (_gate)
        {
            (_isUp, _outgoingStreams) = (true, outgoingStreams);
            _connectTimer?.Dispose();
            foreach (var channel in _channels.Values.ToArray())
            {
                channel.State = DataChannelState.Open;
                if (channel.StreamId >= outgoingStreams)
                    Forget(channel);                        // the peer offers fewer streams than were asked for
            }
            PumpControls();
        }
    }

    private void OnData(ReadOnlySpan<byte> message, UsrSctp.ReceiveInfo info, bool isEnd)
    {
        var isRest = _isDiscarding;
        _isDiscarding = !isEnd;
        if (isRest)
            return;
        var protocol = BinaryPrimitives.ReverseEndianness(info.NetworkOrderProtocol);
        if (!isEnd || message.Length > _options.MaxMessageBytes)
            RefuseStream(info.Stream);
        else if (protocol == PayloadProtocol.Control)
            OnControl(info.Stream, message);
        else if (PayloadProtocol.IsMessage(protocol) && Find(info.Stream) is { State: DataChannelState.Open } channel)
        {
            Interlocked.Increment(ref _messagesReceived);
            _sink.OnMessage(channel, PayloadProtocol.IsEmpty(protocol) ? [] : message, PayloadProtocol.IsBinary(protocol));
        }
        else
            Interlocked.Increment(ref _messagesRefused);
    }

    private DataChannel? Find(ushort stream)
    {
        lock (_gate)
            return _channels.GetValueOrDefault(stream);
    }

    private void OnControl(ushort stream, ReadOnlySpan<byte> message)
    {
        if (message is [DcepMessage.Ack] && Find(stream) is { } opened)
        {
            lock (_gate)
                opened.IsAcknowledged = true;
            return;
        }
        if (message[0] != DcepMessage.Open)
        {
            Interlocked.Increment(ref _messagesRefused);
            return;
        }
        if (TryAccept(stream, message) is { } channel)
            _sink.OnChannel(channel);
        else
            RefuseStream(stream);
    }

    private DataChannel? TryAccept(ushort stream, ReadOnlySpan<byte> open)
    {
        var isPeers = (stream & 1) == (_isDtlsClient ? 1 : 0);
        if (!isPeers || !DcepMessage.TryReadOpen(open, out var label, out var options))
            return null;
        lock (_gate)
        {
            // The peer opens a stream again when it has seen both sides of it reset; its answer to our reset may be lost, and come later.
            var former = _channels.GetValueOrDefault(stream);
            var isOpenedAgain = former is { State: DataChannelState.Closing, IsIncomingReset: true } && !_resets.Contains(stream);
            if (isOpenedAgain)
                Forget(former!);
            var isFull = _channels.Count >= _options.MaxChannels || _controls.Count >= 2 * _options.MaxChannels;
            if (isFull || stream >= _outgoingStreams || _channels.ContainsKey(stream) || _resets.Contains(stream))
                return null;
            var channel = new DataChannel(stream, label, options, DataChannelState.Open) { IsAcknowledged = true, AwaitsReset = isOpenedAgain };
            _channels.Add(stream, channel);
            if (!isOpenedAgain)
                Acknowledge(channel);
            return channel;
        }
    }

    private void Acknowledge(DataChannel channel)
    {
        _controls.Enqueue((channel, [DcepMessage.Ack]));
        PumpControls();
    }

    /// <summary>The peer broke a rule on a stream: the stream is reset, and with it the channel if there is one (RFC 8832 §6).</summary>
    private void RefuseStream(ushort stream)
    {
        Interlocked.Increment(ref _messagesRefused);
        DataChannel? closed = null;
        lock (_gate)
        {
            if (_channels.GetValueOrDefault(stream) is not { } channel)
                RequestReset(stream);
            else if (channel.State is DataChannelState.Open)
            {
                closed = channel;
                BeginClose(channel);
            }
        }
        if (closed is not null)
            _sink.OnChannelClosed(closed);
    }

    private void OnReset(ushort flags, ReadOnlySpan<ushort> streams)
    {
        List<DataChannel> closed = [];
        lock (_gate)
        {
            foreach (var channel in _channels.Values.ToArray())
            {
                if (!streams.IsEmpty && !streams.Contains(channel.StreamId))
                    continue;
                var isOutgoing = (flags & SctpNotification.OutgoingReset) != 0;
                if (isOutgoing && channel.AwaitsReset)
                {
                    channel.AwaitsReset = false;        // it was of the channel before
                    Acknowledge(channel);
                    continue;
                }
                // A reset that the peer refuses will not happen: the stream counts as done, lest its channel stay half closed for ever.
                channel.IsOutgoingReset |= isOutgoing;
                if ((flags & SctpNotification.IncomingReset) != 0 && (flags & SctpNotification.ResetRefused) == 0)
                {
                    channel.IsIncomingReset = true;
                    if (channel.State is DataChannelState.Open)
                    {
                        closed.Add(channel);
                        BeginClose(channel);
                    }
                }
                if (channel is { IsIncomingReset: true, IsOutgoingReset: true })
                    Forget(channel);
            }
            PumpResets();
        }
        foreach (var channel in closed)
            _sink.OnChannelClosed(channel);
    }

    private void BeginClose(DataChannel channel)
    {
        var wasOpen = channel.State is DataChannelState.Open;
        channel.State = DataChannelState.Closing;
        if (wasOpen)
            RequestReset(channel.StreamId);
        else
            Forget(channel);
    }

    private void Forget(DataChannel channel)
    {
        channel.State = DataChannelState.Closed;
        _channels.Remove(channel.StreamId);
    }

    private void CloseChannels()
    {
        foreach (var channel in _channels.Values)
            channel.State = DataChannelState.Closed;
        _channels.Clear();
        _controls.Clear();
        _resets.Clear();
    }

    private void RequestReset(ushort stream)
    {
        if (stream < _outgoingStreams && _resets.Add(stream))
            PumpResets();
    }

    /// <summary>One request may be on its way at a time (RFC 6525 §5.1.1); the others wait for its answer.</summary>
    private void PumpResets()
    {
        if (_resets.Count == 0 || !_isUp || _socket is null || _socket.Reset([.. _resets]) == SctpSocket.Already)
            return;
        _resets.Clear();
    }

    /// <summary>Sends the DCEP messages that wait for the association or for room in the send buffer.</summary>
    private void PumpControls()
    {
        while (_isUp && _socket is not null && _controls.TryPeek(out var control))
        {
            var isOpen = control.Channel.State is DataChannelState.Open && control.Channel.StreamId < _outgoingStreams;
            if (isOpen && _socket.Send(control.Message, Attributes(control.Channel, PayloadProtocol.Control)) == SctpSocket.WouldBlock)
                return;
            _controls.Dequeue();
        }
    }
}
