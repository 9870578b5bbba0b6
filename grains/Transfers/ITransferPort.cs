namespace VoiceGrains.Grains.Transfers;

/// <summary>What the medium of a call implements too when it can hand the user over to somebody else.</summary>
public interface ITransferPort
{
    /// <summary>Whether <see cref="TransferAsync(WarmTransfer, CancellationToken)"/> works in this call.</summary>
    bool CanTransferWarm { get; }

    /// <summary>Hands the user over without a word. Called once all that was said has been heard.</summary>
    /// <returns>Null when it worked: the agent leaves. Otherwise why it did not, a sentence for the model; the user is back with the agent.</returns>
    Task<string?> TransferAsync(ColdTransfer transfer, CancellationToken cancellationToken);

    /// <summary>Calls somebody, tells them the context, and connects the user once they accept.</summary>
    /// <returns>As the cold transfer.</returns>
    Task<string?> TransferAsync(WarmTransfer transfer, CancellationToken cancellationToken);
}

/// <summary>The parameters of <c>coldTransfer</c>, checked.</summary>
public sealed record ColdTransfer
{
    /// <summary>A SIP URI, or a number in E.164 form.</summary>
    public required string Target { get; init; }
    /// <summary>A bridge by INVITE instead of a REFER.</summary>
    public bool IsBridge { get; init; }
    public IReadOnlyDictionary<string, string> ExtraHeaders { get; init; } = new Dictionary<string, string>();
    /// <summary>Null: silence.</summary>
    public Uri? HoldMusicUrl { get; init; }
    /// <summary>Caller of the INVITE; null is the user.</summary>
    public string? From { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
}

/// <summary>The parameters of <c>warmTransfer</c>, checked.</summary>
public sealed record WarmTransfer
{
    /// <summary>A SIP URI.</summary>
    public required string Target { get; init; }
    /// <summary>What the agent has to tell.</summary>
    public required string Context { get; init; }
    public WarmTransferType Type { get; init; }
    /// <summary>For the agent's talk with the target, <c>{context}</c> filled; null is the medium's own.</summary>
    public string? SystemPrompt { get; init; }
    public IReadOnlyDictionary<string, string> InviteHeaders { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> ReferHeaders { get; init; } = new Dictionary<string, string>();
    public Uri? HoldMusicUrl { get; init; }
    public string? From { get; init; }
    public string? Username { get; init; }
    public string? Password { get; init; }
}

/// <summary>How user and target are connected once the target accepts.</summary>
public enum WarmTransferType : byte
{
    /// <summary>By REFER, else by bridging.</summary>
    TryRefer,
    Refer,
    Bridge,
}
