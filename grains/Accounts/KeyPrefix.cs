namespace VoiceGrains.Grains.Accounts;

/// <summary>What is shown of a stored key: enough for its owner to tell which one it is.</summary>
public static class KeyPrefix
{
    private const int Longest = 8;

    /// <summary>At most 8 characters, and never more than a quarter of the key.</summary>
    public static string Of(string key) => key[..Math.Min(Longest, key.Length / 4)];
}
