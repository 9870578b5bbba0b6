using Microsoft.Extensions.Options;

namespace VoiceGrains.Hosting.Launch;

/// <summary>Mistakes in the configuration, told to the person at the terminal before anything is started.</summary>
public static class SettingsCheck
{
    /// <summary>Where the exceptions of a value or a name come from that configuration cannot be bound by.</summary>
    private const string Binder = "Microsoft.Extensions.Configuration.Binder";

    /// <summary>Reads all options that are checked at start.</summary>
    /// <exception cref="LaunchException">Some are wrong: a line for each, without a stack trace.</exception>
    public static void RequireValidSettings(this IHost host)
    {
        try
        {
            host.Services.GetService<IStartupValidator>()?.Validate();
        }
        catch (Exception mistake) when (Explain(mistake) is { } problem)
        {
            throw problem;
        }
    }

    /// <returns>Null when it is something else that went wrong.</returns>
    internal static LaunchException? Explain(Exception mistake) => Problems(mistake) is { Count: > 0 } problems
        ? new LaunchException(string.Join(Environment.NewLine, ["The configuration cannot be used:", .. problems.Select(problem => "  " + problem)]), inner: mistake)
        : null;

    /// <summary>Empty when it is something else that went wrong.</summary>
    private static List<string> Problems(Exception mistake) => mistake switch
    {
        OptionsValidationException wrong => [.. wrong.Failures.Select(InShort)],
        AggregateException several => [.. several.InnerExceptions.SelectMany(Problems)],
        InvalidOperationException { Source: Binder } unreadable => [Words(unreadable.Message)],
        _ => [],
    };

    /// <summary>Of what a data annotation says, the options and the rule; what a validator of ours says is short as it is.</summary>
    private static string InShort(string failure)
    {
        const string start = "DataAnnotation validation failed for '", middle = "' with the error: '", end = "'.";
        return failure.StartsWith(start, StringComparison.Ordinal) && failure.EndsWith(end, StringComparison.Ordinal) && failure.Split(middle, 2) is [var whose, var rule]
            ? $"{whose[start.Length..].Split('\'')[0]}: {rule[..^end.Length]}"
            : failure;
    }

    /// <summary>Of what the binder says: a value that has no such type, with the setting's name, or names that no setting has.</summary>
    private static string Words(string message)
    {
        if (message.Contains(nameof(BinderOptions.ErrorOnUnknownConfiguration), StringComparison.Ordinal))
        {
            var names = message.LastIndexOf(": ", StringComparison.Ordinal);
            return $"{message[(message.LastIndexOf('.', names) + 1)..names]} has no such setting: {message[(names + 2)..]}.";
        }
        if (message.Contains($"'{typeof(TimeSpan)}'", StringComparison.Ordinal)) return message + " Durations are hours:minutes:seconds, such as 00:01:30.";
        if (message.Contains($"'{typeof(int)}'", StringComparison.Ordinal) || message.Contains($"'{typeof(long)}'", StringComparison.Ordinal)) return message + " It must be a whole number.";
        return message;
    }
}
