namespace VoiceGrains.WebRtc.Ice;

/// <summary>
/// An ICE-lite agent (RFC 8445 §2.4): it answers the checks of a full, controlling peer, learns the peer's addresses from them and sends where the
/// latest USE-CANDIDATE came from. It never sends checks itself; the peer's own are its consent to be sent to (RFC 7675). Thread-safe.
/// </summary>
public sealed class IceLiteAgent : IDisposable
{
    private readonly Lock _gate = new();       // pairs, generations, state; nothing is called out under it
    private readonly Lock _delivery = new();   // keeps the sink's calls apart; contended only when a peer sends over two paths at once
    private readonly List<IcePair> _pairs = [];
    private readonly IceDirectory _directory;
    private readonly IceConsent _consent;
    private readonly IIceSink _sink;
    private readonly int _maxPairs;
    private readonly Action<IceLiteAgent> _onClosed;
    private IceGeneration _current;
    private IceGeneration? _previous;          // before a restart, until the peer nominates a pair of the new one
    private volatile IcePair? _selected;
    private volatile IcePair? _latest;
    private volatile IceState _state;
    private volatile IceCredentials? _remote;
    private IceState _told;

    internal IceLiteAgent(IceDirectory directory, IceConsent consent, IIceSink sink, int maxPairs, Action<IceLiteAgent> onClosed)
    {
        (_directory, _consent, _sink, _maxPairs, _onClosed) = (directory, consent, sink, maxPairs, onClosed);
        _current = directory.Register(this);
    }

    /// <summary>What the next answer advertises.</summary>
    public IceCredentials Local
    {
        get
        {
            lock (_gate)
                return _current.Credentials;
        }
    }

    /// <summary>The peer's, as last set. A lite agent sends no checks, so they only tell whether an offer restarts ICE (other credentials).</summary>
    public IceCredentials? Remote => _remote;

    public IceState State => _state;

    /// <summary>Remote address that media goes to; null before the first nomination.</summary>
    public System.Net.IPEndPoint? SelectedRemote => _selected?.Path.Remote.ToEndPoint();

    /// <summary>What media goes over; null before the first nomination.</summary>
    public IceTransport? SelectedTransport => _selected?.Path switch { null => null, Transport.UdpPath => IceTransport.Udp, _ => IceTransport.TcpPassive };

    /// <summary>Notes the peer's credentials of an offer.</summary>
    public void SetRemote(IceCredentials remote) => _remote = remote;

    /// <summary>
    /// Makes new local credentials (RFC 8445 §9). The old ones and their pair stay in use until the peer nominates a pair with the new ones.
    /// Does nothing when closed.
    /// </summary>
    public void Restart()
    {
        lock (_gate)
        {
            if (_state == IceState.Closed)
                return;
            if (_previous is null)
                _previous = _current;
            else
                _directory.Remove(_current);   // a restart that was never completed
            _current = _directory.Register(this);
        }
    }

    /// <summary>
    /// Sends on the selected pair. Before the first nomination on the pair that was validated last, since the peer's first DTLS flight may overtake its
    /// USE-CANDIDATE. Any thread; no allocation over UDP.
    /// </summary>
    /// <returns><see langword="false"/>: no validated pair, no consent, unreachable, or the socket is full. Treat it as a lost datagram.</returns>
    public bool TrySend(ReadOnlySpan<byte> datagram)
    {
        var pair = _selected ?? _latest;
        return pair is not null && _state != IceState.Closed && _consent.IsFresh(pair) && pair.Path.TrySend(datagram);
    }

    /// <summary>Forgets the pairs and credentials. No call to the sink begins afterwards; one that has begun in a receive loop may still run.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_state == IceState.Closed)
                return;
            _state = IceState.Closed;
            _directory.Remove(_current);
            if (_previous is not null)
                _directory.Remove(_previous);
            (_selected, _latest) = (null, null);
            foreach (var pair in _pairs)
                pair.Path.Unbind(pair);
            _pairs.Clear();
        }
        _onClosed(this);
    }

    /// <summary>Takes an authenticated check with <paramref name="generation"/>'s credentials.</summary>
    /// <param name="priority">PRIORITY of the check; without it no new pair is made.</param>
    /// <returns><see langword="false"/>: a bad request, or the credentials have just been retired.</returns>
    internal bool Accept(IDatagramOrigin origin, IceGeneration generation, uint? priority, bool useCandidate)
    {
        lock (_gate)
        {
            if (_state == IceState.Closed || (generation != _current && generation != _previous))
                return false;
            var pair = origin.Pair;
            if (pair is null && priority is null)
                return false;
            pair ??= AddPair(origin.OpenPath(), priority.GetValueOrDefault());
            pair.LastCheck = _consent.Now;
            _latest = pair;
            if (useCandidate)
                Nominate(pair, generation);
            if (pair == _selected)
                _state = IceState.Connected;
            return true;
        }
    }

    /// <summary>Tells the sink of a state that it does not know yet. Never called under an owner's lock.</summary>
    internal void TellState()
    {
        lock (_delivery)
        {
            var state = _state;
            if (state == _told)
                return;
            _told = state;
            _sink.OnStateChanged(state);
        }
    }

    /// <summary>Hands a datagram of one of this agent's pairs to the sink.</summary>
    internal void Deliver(ReadOnlySpan<byte> datagram)
    {
        lock (_delivery)
        {
            if (_state != IceState.Closed)
                _sink.OnDatagram(datagram);
        }
    }

    /// <summary>Ends what has no consent any more. The selected pair stays selected, so that the peer's next check revives it.</summary>
    internal void ExpirePairs()
    {
        lock (_gate)
        {
            for (var i = _pairs.Count - 1; i >= 0; i--)
            {
                if (_consent.IsFresh(_pairs[i]))
                    continue;
                if (_pairs[i] != _selected)
                    Forget(_pairs[i]);
                else if (_state == IceState.Connected)
                    _state = IceState.Disconnected;
            }
        }
        TellState();
    }

    /// <summary>Drops a pair whose path is gone or now belongs to another agent.</summary>
    internal void Remove(IcePair pair)
    {
        lock (_gate)
        {
            if (!_pairs.Contains(pair))
                return;
            if (_selected == pair && _state == IceState.Connected)
                _state = IceState.Disconnected;
            Forget(pair);
        }
        TellState();
    }

    private void Nominate(IcePair pair, IceGeneration generation)
    {
        _selected = pair;
        if (generation != _current || _previous is null)
            return;
        _directory.Remove(_previous);   // the restart is complete; pairs of before still receive until their consent ends
        _previous = null;
    }

    private IcePair AddPair(IcePath path, uint priority)
    {
        if (_pairs.Count >= _maxPairs)
            Forget(_pairs.Where(pair => pair != _selected).MinBy(pair => pair.LastCheck)!);
        var added = new IcePair(this, path, priority);
        _pairs.Add(added);
        path.Bind(added);
        return added;
    }

    private void Forget(IcePair pair)
    {
        _pairs.Remove(pair);
        if (_selected == pair)
            _selected = null;
        if (_latest == pair)
            _latest = _pairs.MaxBy(other => other.LastCheck);
        pair.Path.Unbind(pair);
    }
}
