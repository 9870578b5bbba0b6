using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Gateway.Voices;

/// <summary>Which voices a list is of. The server's voices and the account's own stand in one order: by language where one is wanted, then by name.</summary>
internal sealed record VoiceFilter(string? Ownership, string? Billing, string? Search, string? Language, IReadOnlySet<string> Providers)
{
    /// <param name="query">The request's.</param>
    /// <param name="providers">Names of providers beside the documented ones.</param>
    /// <exception cref="InvalidInputException">A parameter is wrong.</exception>
    public static VoiceFilter Read(IQueryCollection query, IEnumerable<string> providers) => new(
        QueryText.ReadChoice(query, "ownership", VoiceResponse.Public, VoiceResponse.Private),
        QueryText.ReadChoice(query, "billingStyle", VoiceResponse.Included, VoiceResponse.External),
        QueryText.Read(query, "search", maxLength: 200),
        QueryText.Read(query, "primaryLanguage", maxLength: 35),
        ReadProviders(query, providers));

    public bool Matches(VoiceResponse voice)
        => (Ownership is null || Ownership == voice.Ownership) && (Billing is null || Billing == voice.BillingStyle)
            && (Language is null || Distance(voice) < 2)
            && (Providers.Count == 0 || (voice.Provider is { } provider && Providers.Contains(provider)))
            && (Search is null || voice.Name.Contains(Search, StringComparison.OrdinalIgnoreCase)
                || voice.Description?.Contains(Search, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>Where a voice stands in the list; unique. An own voice may have the name of one of the server's.</summary>
    public string KeyOf(VoiceResponse voice) => $"{Distance(voice)}{voice.Name.ToUpperInvariant()}\u0001{voice.VoiceId}";

    /// <summary>0 for the wanted language or none, 1 for the same language of another region, 2 for others.</summary>
    private int Distance(VoiceResponse voice)
    {
        if (Language is null || Language.Equals(voice.PrimaryLanguage, StringComparison.OrdinalIgnoreCase)) return 0;
        return voice.PrimaryLanguage?.Split('-')[0].Equals(Language.Split('-')[0], StringComparison.OrdinalIgnoreCase) == true ? 1 : 2;
    }

    private static HashSet<string> ReadProviders(IQueryCollection query, IEnumerable<string> providers)
    {
        var given = query["provider"].SelectMany(value => (value ?? "").Split(',')).Where(p => p.Length > 0).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var known = providers.Concat(TtsProvider.All.Select(p => p.Id)).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (given.FirstOrDefault(p => !known.Contains(p)) is { } unknown)
            throw new InvalidInputException("provider", $"\"{JsonLeaf.Shorten(unknown)}\" is not a valid choice.");
        return given;
    }
}
