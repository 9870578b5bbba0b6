namespace VoiceGrains.Providers.Catalog;

/// <summary><c>provider</c> or <c>provider/model</c>, where the model may hold more slashes.</summary>
internal readonly record struct ProviderTarget(string Provider, string Model)
{
    public static ProviderTarget Parse(string target)
    {
        var slash = target.IndexOf('/');
        return slash < 0 ? new(target, "") : new(target[..slash], target[(slash + 1)..]);
    }
}
