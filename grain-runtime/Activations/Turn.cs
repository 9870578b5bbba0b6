using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>One piece of work of an activation: a request or a timer tick.</summary>
internal abstract class Turn
{
    /// <summary>Starts at once, whatever else runs, and blocks nothing.</summary>
    public abstract bool Interleaves { get; }

    /// <summary>May share its turn with other such requests.</summary>
    public virtual bool IsReadOnly => false;

    /// <summary>Whether running it makes the activation count as used.</summary>
    public virtual bool KeepsAlive => true;

    /// <summary>The request, where the turn is one.</summary>
    public virtual Invocation? Request => null;

    /// <summary>Runs on the activation's scheduler. Never throws.</summary>
    public abstract Task RunAsync(Activation activation);

    /// <summary>Called when the turn has made room for the next: a caller who has its result finds the grain free.</summary>
    public virtual void OnEnded(Activation activation)
    {
    }

    /// <summary>Called instead of <see cref="RunAsync"/> when the turn will never run.</summary>
    public abstract void Reject(Exception exception);
}
