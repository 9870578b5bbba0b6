namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>Which request the running code belongs to: flows with the code, not across calls.</summary>
internal static class CallContext
{
    private static readonly AsyncLocal<Invocation?> Request = new();

    /// <summary>The request being handled; <see langword="null"/> outside of grains, in timers, and in work that outlived its request.</summary>
    public static Invocation? Current
    {
        get => Request.Value is { IsCompleted: false } request ? request : null;
        set => Request.Value = value;
    }
}
