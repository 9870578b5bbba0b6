using System.Globalization;
using System.Reflection;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Schema;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Voices;

namespace VoiceGrains.Gateway.Calls;

/// <summary>The filters and the order of a list of calls, from the query.</summary>
/// <param name="Filter">All but the voice.</param>
/// <param name="VoiceId">To be looked up.</param>
[TakesQuery("agentIds:uuid*", "durationMax", "durationMin", "fromDate", "metadata:object", "search", "timeOfDayEnd", "timeOfDayStart", "toDate", "voiceId")]
internal sealed record CallQuery(CallFilter Filter, string? VoiceId)
{
    private const string MetadataPrefix = "metadata.";
    private const int MaxItems = 100;

    public static ValueTask<CallQuery?> BindAsync(HttpContext context, ParameterInfo parameter) => ValueTask.FromResult<CallQuery?>(Read(context.Request.Query));

    public static CallQuery Read(IQueryCollection query)
    {
        var (sort, descending) = Sort(QueryText.Read(query, "sort"));
        var filter = new CallFilter
        {
            AgentIds = AgentIds(query),
            From = Instant(query, "fromDate", endOfDay: false),
            To = Instant(query, "toDate", endOfDay: true),
            TimeOfDayStart = TimeOfDay(query, "timeOfDayStart"),
            TimeOfDayEnd = TimeOfDay(query, "timeOfDayEnd"),
            DurationMin = Duration(query, "durationMin"),
            DurationMax = Duration(query, "durationMax"),
            Metadata = Metadata(query),
            Search = QueryText.Read(query, "search", 200),
            Sort = sort,
            Descending = descending,
        };
        return new CallQuery(filter, VoiceOf(query));
    }

    /// <summary>All filters. Calls name their voice by name or id.</summary>
    public async Task<CallFilter> ResolveAsync(string accountId, AccountVoices voices, CancellationToken cancellationToken)
        => VoiceId is not { } id ? Filter : Filter with { Voices = Guid.TryParse(id, out var voiceId) ? await voices.NamesOfAsync(accountId, voiceId, cancellationToken) : [id] };

    private static string? VoiceOf(IQueryCollection query)
        => QueryText.Read(query, "voiceId") is not { } id ? null
            : Guid.TryParseExact(id, "D", out _) ? id : throw new InvalidInputException("voiceId", $"\"{JsonLeaf.Shorten(id)}\" is not a valid UUID.");

    private static (CallSort Sort, bool Descending) Sort(string? text)
    {
        if (text is null) return (CallSort.Created, true);
        var descending = text.StartsWith('-');
        return text.TrimStart('-') switch
        {
            "created" => (CallSort.Created, descending),
            "joined" => (CallSort.Joined, descending),
            "ended" => (CallSort.Ended, descending),
            "duration" or "billedDuration" => (CallSort.Duration, descending),
            _ => throw new InvalidInputException("sort", "Calls are sorted by 'created', 'joined', 'ended' or 'duration', with '-' in front for the reverse order."),
        };
    }

    /// <summary>Repeated, or one value with commas.</summary>
    private static List<string>? AgentIds(IQueryCollection query)
    {
        if (!query.TryGetValue("agentIds", out var values)) return null;
        var ids = values.SelectMany(value => (value ?? "").Split(',')).Where(id => id.Length > 0).ToList();
        if (ids.Count > MaxItems) throw new InvalidInputException("agentIds", $"Ensure this field has no more than {MaxItems} elements.");
        foreach (var id in ids)
        {
            if (!Guid.TryParseExact(id, "D", out _)) throw new InvalidInputException("agentIds", $"\"{JsonLeaf.Shorten(id)}\" is not a valid UUID.");
        }
        return ids.Count == 0 ? null : ids.ConvertAll(id => id.ToLowerInvariant());
    }

    private static Dictionary<string, string>? Metadata(IQueryCollection query)
    {
        var names = query.Keys.Where(key => key.StartsWith(MetadataPrefix, StringComparison.Ordinal) && key.Length > MetadataPrefix.Length).ToList();
        if (names.Count > MaxItems) throw new InvalidInputException("metadata", $"Ensure this field has no more than {MaxItems} elements.");
        if (names.Exists(name => name.Contains('\0'))) throw new InvalidInputException("metadata", "Null characters are not allowed.");
        return names.Count == 0 ? null : names.ToDictionary(name => name[MetadataPrefix.Length..], name => QueryText.Read(query, name) ?? "");
    }

    /// <summary>ISO 8601; a date alone means its first or last moment, and a time without an offset is UTC.</summary>
    internal static DateTimeOffset? Instant(IQueryCollection query, string name, bool endOfDay)
    {
        if (QueryText.Read(query, name) is not { } text) return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
        {
            var day = new DateTimeOffset(date, TimeOnly.MinValue, TimeSpan.Zero);
            return endOfDay && date < DateOnly.MaxValue ? day.AddDays(1).AddMicroseconds(-1) : day;
        }
        // A plus that a client did not escape arrives as a space.
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        return text.Length >= 16 && char.IsAsciiDigit(text[0])
            && DateTimeOffset.TryParse(text.Replace(' ', text.Contains('T', StringComparison.Ordinal) ? '+' : ' '), CultureInfo.InvariantCulture, styles, out var instant)
            ? instant
            : throw new InvalidInputException(name, "Datetime has wrong format. Use ISO 8601, such as \"2026-01-31\" or \"2026-01-31T12:00:00Z\".");
    }

    /// <summary>With an offset, which OpenAPI's format <c>time</c> has (RFC 3339 <c>full-time</c>), or without one in UTC.</summary>
    private static TimeOnly? TimeOfDay(IQueryCollection query, string name)
    {
        if (QueryText.Read(query, name) is not { } text) return null;
        const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        // On some day, so that an offset may lead to the one before or after.
        return DateTime.TryParseExact("2000-01-02T" + text.Replace(' ', '+'), ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFK", "yyyy-MM-dd'T'HH:mmK"], CultureInfo.InvariantCulture, styles, out var time)
            ? TimeOnly.FromDateTime(time)
            : throw new InvalidInputException(name, "Time has wrong format. Use HH:MM:SS.");
    }

    private static TimeSpan? Duration(IQueryCollection query, string name)
        => QueryText.Read(query, name) is not { } text ? null
            : DurationConverter.TryParse(text, out var duration) && duration >= TimeSpan.Zero ? duration
            : throw new InvalidInputException(name, "Duration has wrong format. Use seconds with an 's', such as \"30s\" or \"1.5s\".");
}
