using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>The stored state is not the one that was read: another writer came first. Uncaught, it ends the activation that met it.</summary>
public class InconsistentStateException : OrleansException
{
    public InconsistentStateException(string message) : base(message)
    {
    }

    /// <summary>Names both versions.</summary>
    public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag) : base(errorMsg)
    {
        StoredEtag = storedEtag ?? "";
        CurrentEtag = currentEtag ?? "";
    }

    /// <summary>The version in storage, where it is known.</summary>
    public string StoredEtag { get; } = "";

    /// <summary>The version that the writer had read.</summary>
    public string CurrentEtag { get; } = "";

    // Only the activation that met the conflict is discarded, not each caller that the exception passes through.
    internal object? MetBy { get; set; }
}
