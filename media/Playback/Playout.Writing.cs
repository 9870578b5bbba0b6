namespace VoiceGrains.Media;

/// <summary>The producer's side: utterances, their sound and their marks.</summary>
public sealed partial class Playout
{
    private const int MaxCopySamples = 8192;
    private const int MaxUtterances = 256;

    /// <summary>Starts an utterance after those queued; an open one ends. Its id should differ from the ones before.</summary>
    /// <exception cref="InvalidOperationException">256 utterances wait to be played.</exception>
    public void BeginUtterance(int utteranceId)
    {
        lock (Enter())
        {
            if (_isDisposed)
                return;
            if (_utterances.Count >= MaxUtterances)
                throw new InvalidOperationException($"{MaxUtterances} utterances wait to be played.");
            End(_latest);
            _latest = new Utterance(utteranceId, _queue.End);
            _utterances.Enqueue(_latest);
        }
    }

    /// <summary>Tells that the open utterance has no more sound.</summary>
    public void EndUtterance()
    {
        lock (Enter())
            End(_latest);
    }

    /// <summary>As <see cref="EndUtterance()"/>, only if <paramref name="utteranceId"/> is the open one.</summary>
    public void EndUtterance(int utteranceId)
    {
        lock (Enter())
            End(_latest?.Id == utteranceId ? _latest : null);
    }

    /// <summary>
    /// Drops the sound of the open utterance behind its first <paramref name="samples"/>, as far as it was not sent; what is written next goes on there.
    /// For a producer that finds its last words spoilt.
    /// </summary>
    /// <returns>The utterance's length now: more than asked for where more was sent already. -1: it is not the open one, and nothing was dropped.</returns>
    public long Truncate(int utteranceId, long samples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(samples);
        lock (Enter())
        {
            if (_latest is not { End: long.MaxValue } open || open.Id != utteranceId)
                return -1;
            return _queue.DropFrom(open.Start + samples) - open.Start;
        }
    }

    /// <summary>Adds sound to the open utterance; waits while the queue is full.</summary>
    /// <param name="pcm">Copied; on cancellation a first part may have been queued.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>False: the utterance was cleared or ended, or none is open; the rest was dropped.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public ValueTask<bool> WriteAsync(ReadOnlyMemory<short> pcm, CancellationToken cancellationToken)
    {
        lock (Enter())
            return WriteAsync(_latest, pcm, cancellationToken);
    }

    /// <summary>
    /// As <see cref="WriteAsync(ReadOnlyMemory{short}, CancellationToken)"/>, only to utterance <paramref name="utteranceId"/>:
    /// a producer that was cleared and does not know it yet cannot speak into the next utterance.
    /// </summary>
    public ValueTask<bool> WriteAsync(int utteranceId, ReadOnlyMemory<short> pcm, CancellationToken cancellationToken)
    {
        lock (Enter())
            return WriteAsync(_latest?.Id == utteranceId ? _latest : null, pcm, cancellationToken);
    }

    /// <summary>
    /// Asks for <see cref="IPlayoutSink.OnMark"/> when the far end has played <paramref name="utteranceSample"/> samples of the utterance begun last.
    /// A position that was played already is reported at the next tick, one after the utterance's end when it ends.
    /// </summary>
    /// <returns>False: that utterance was cleared, or 4,096 marks wait.</returns>
    public bool AddMark(long utteranceSample, int markId)
    {
        lock (Enter())
            return _latest?.AddMark(utteranceSample, markId) ?? false;
    }

    /// <summary>As <see cref="AddMark(long, int)"/> for an utterance that is queued, plays, or is the last one played.</summary>
    public bool AddMark(int utteranceId, long utteranceSample, int markId)
    {
        lock (Enter())
        {
            foreach (var utterance in _utterances)
            {
                if (utterance.Id == utteranceId)
                    return utterance.AddMark(utteranceSample, markId);
            }
            return _lastPlayed?.Id == utteranceId && _lastPlayed.AddMark(utteranceSample, markId);
        }
    }

    private static ValueTask<bool> Completed(bool result) => new(result);

    /// <summary>Called inside the gate.</summary>
    private ValueTask<bool> WriteAsync(Utterance? utterance, ReadOnlyMemory<short> pcm, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<bool>(cancellationToken);
        return TryWrite(utterance, ref pcm, out var isOpen) ? Completed(isOpen) : new(WaitAndWriteAsync(utterance!, pcm, cancellationToken));
    }

    private async Task<bool> WaitAndWriteAsync(Utterance utterance, ReadOnlyMemory<short> pcm, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);     // leaves the gate between copies
        while (true)
        {
            bool isDone, isOpen, isFull;
            lock (_gate)
            {
                isDone = TryWrite(utterance, ref pcm, out isOpen);
                isFull = !isDone && _queue.Count == _queue.Capacity;
                // Room for one frame comes at every tick; a producer is worth waking for a quarter of the queue.
                utterance.Wanted = isFull ? Math.Max(1, Math.Min(pcm.Length, _queue.Capacity / 4)) : 0;
            }
            if (isDone)
                return isOpen;
            if (isFull)
                await utterance.Space.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Copies one part; true when nothing is left to do.</summary>
    private bool TryWrite(Utterance? utterance, ref ReadOnlyMemory<short> pcm, out bool isOpen)
    {
        isOpen = utterance is not null && utterance == _latest && utterance.End == long.MaxValue;
        if (!isOpen)
            return true;
        pcm = pcm[_queue.Write(pcm.Span[..Math.Min(pcm.Length, MaxCopySamples)])..];
        return pcm.IsEmpty;
    }

    private void End(Utterance? utterance)
    {
        if (utterance is null || utterance.End != long.MaxValue)
            return;
        utterance.End = _queue.End;
        utterance.Wake();
    }
}
