using System.Buffers;

namespace VoiceGrains.Providers.Recognition.Pocketsphinx;

/// <summary>
/// One turn: the call's side writes and finishes it, one decoder thread drains it. The audio between them is bounded and pooled;
/// the decoder thread waits on the turn's own lock, never on a thread-pool thread.
/// </summary>
internal sealed class PocketsphinxTurn(PocketsphinxRecognizer owner, RecognitionOptions options) : IRecognition
{
    private const int BlockSamples = 3200;   // 200 ms
    private readonly object gate = new();    // a monitor and no Lock: the decoder waits on it
    private readonly Queue<short[]> full = new();
    private readonly TaskCompletionSource<string> text = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private short[]? tail;
    private int tailFilled;
    private bool queued, waiting, finishing, abandoned;

    /// <summary>All that was written is decoded, or will not be.</summary>
    public bool IsCaughtUp
    {
        get
        {
            lock (gate)
                return !queued || abandoned || text.Task.IsCompleted || (waiting && tail is null && full.Count == 0);
        }
    }

    public void Write(ReadOnlySpan<short> pcm)
    {
        if (pcm.IsEmpty)
            return;
        bool enqueue;
        lock (gate)
        {
            if (finishing || abandoned)
                return;
            Append(pcm);
            enqueue = !queued;
            queued = true;
            Monitor.Pulse(gate);
        }
        if (enqueue && !owner.TryEnqueue(this, out var fault))
            Fail(fault);
    }

    public async Task<string> FinishAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            finishing = true;
            if (!queued)
                text.TrySetResult("");
            Monitor.Pulse(gate);
        }
        try
        {
            return await text.Task.WaitAsync(owner.Options.FinishTimeout, owner.Clock, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            Abandon();
            throw new ProviderException(PocketsphinxRecognizer.ProviderName, ProviderFault.TimedOut,
                $"No decoder finished the turn within {owner.Options.FinishTimeout.TotalSeconds:0} s.", exception);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            Abandon();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        Abandon();
        return ValueTask.CompletedTask;
    }

    /// <summary>Drains the turn on the calling decoder thread until it is finished, given up, or idle for too long.</summary>
    public void Decode(PocketsphinxDecoder decoder)
    {
        lock (gate)
        {
            if (abandoned)
                return;
        }
        decoder.Begin();
        var lastPartial = owner.Clock.GetTimestamp();
        var told = "";
        while (TryTake(out var block, out var count))
        {
            decoder.Feed(block.AsSpan(0, count));
            ArrayPool<short>.Shared.Return(block);
            if (options.OnPartial is { } onPartial && owner.Clock.GetElapsedTime(lastPartial) >= owner.Options.PartialInterval)
            {
                lastPartial = owner.Clock.GetTimestamp();
                if (decoder.Partial() is { Length: > 0 } partial && partial != told)
                    Tell(onPartial, told = partial);
            }
        }
        if (IsAbandoned)
            owner.Discard(decoder);
        else
            text.TrySetResult(decoder.End());
    }

    public void Fail(ProviderException exception)
    {
        text.TrySetException(exception);
        _ = text.Task.Exception;   // observed: a turn may be thrown away instead of finished
        Abandon();
    }

    private bool IsAbandoned
    {
        get
        {
            lock (gate)
                return abandoned;
        }
    }

    private void Append(ReadOnlySpan<short> pcm)
    {
        var room = owner.MaxQueuedSamples - (long)full.Count * BlockSamples - tailFilled;
        if (pcm.Length > room)
        {
            owner.CountDropped(pcm.Length - (int)Math.Max(room, 0));
            pcm = pcm[..(int)Math.Max(room, 0)];
        }
        while (!pcm.IsEmpty)
        {
            tail ??= ArrayPool<short>.Shared.Rent(BlockSamples);
            var taken = Math.Min(pcm.Length, BlockSamples - tailFilled);
            pcm[..taken].CopyTo(tail.AsSpan(tailFilled));
            tailFilled += taken;
            pcm = pcm[taken..];
            if (tailFilled == BlockSamples)
            {
                full.Enqueue(tail);
                (tail, tailFilled) = (null, 0);
            }
        }
    }

    /// <summary>Waits for a block of audio; false at the turn's end.</summary>
    private bool TryTake(out short[] block, out int count)
    {
        lock (gate)
        {
            while (!abandoned)
            {
                if (full.TryDequeue(out block!))
                {
                    count = BlockSamples;
                    return true;
                }
                if (tail is not null)   // what is there now: a live turn is decoded frame by frame, a late one in whole blocks
                {
                    (block, count) = (tail, tailFilled);
                    (tail, tailFilled) = (null, 0);
                    return true;
                }
                if (finishing)
                    break;
                waiting = true;
                if (!Monitor.Wait(gate, owner.Options.MaxTurnIdle))
                    finishing = true;   // forgotten; its text so far stays for a late FinishAsync
                waiting = false;
            }
        }
        (block, count) = ([], 0);
        return false;
    }

    private void Tell(Action<string> onPartial, string partial)
    {
        try
        {
            onPartial(partial);
        }
        catch (Exception exception)
        {
            owner.LogPartialFailed(exception);   // a listener's fault must not end the decoder thread
        }
    }

    private void Abandon()
    {
        lock (gate)
        {
            abandoned = true;
            while (full.TryDequeue(out var block))
                ArrayPool<short>.Shared.Return(block);
            if (tail is not null)
                ArrayPool<short>.Shared.Return(tail);
            (tail, tailFilled) = (null, 0);
            Monitor.Pulse(gate);
        }
        text.TrySetCanceled();
    }
}
