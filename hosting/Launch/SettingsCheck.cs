using Microsoft.Extensions.Options;

namespace VoiceGrains.Hosting.Launch;

/// <summary>Mistakes in the configuration, told to the person at the terminal before anything is started.</summary>
public static class SettingsCheck
{
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
        OptionsValidationException wrong => [.. wrong.Failures],
        AggregateException several => [.. several.InnerExceptions.SelectMany(Problems)],
        // The binder's, which names the value, the setting and the type.
        InvalidOperationException { InnerException: FormatException } unreadable => [unreadable.Message + Hint(unreadable.Message)],
        _ => [],
    };

    private static string Hint(string message) => message.Contains(typeof(TimeSpan).FullName!, StringComparison.Ordinal) ? " Durations are hours:minutes:seconds, such as 00:01:30." : "";
}
