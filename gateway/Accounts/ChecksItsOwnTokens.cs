namespace VoiceGrains.Gateway.Accounts;

/// <summary>Marks an end point that takes tokens beside API keys, and so decides itself who may come in. It is not open.</summary>
internal sealed class ChecksItsOwnTokens
{
    public static readonly ChecksItsOwnTokens Instance = new();

    private ChecksItsOwnTokens() { }
}
