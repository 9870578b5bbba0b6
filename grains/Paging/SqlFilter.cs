using System.Globalization;
using Npgsql;

namespace VoiceGrains.Grains.Paging;

/// <summary>Conditions of a list. Each value is a parameter.</summary>
public sealed class SqlFilter
{
    private readonly List<string> conditions = [];
    private readonly List<object> values = [];

    /// <summary>Adds a condition in which <c>{0}</c>, <c>{1}</c>, ... stand for the values.</summary>
    public SqlFilter Where(string condition, params object[] given)
    {
        conditions.Add("(" + Text(condition, given) + ")");
        return this;
    }

    /// <summary>Words that a person typed, as a pattern for <c>ilike</c> that finds them anywhere.</summary>
    public static string Contains(string words)
        => "%" + words.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal) + "%";

    internal string Sql => conditions.Count == 0 ? "true" : string.Join(" and ", conditions);

    /// <summary>SQL in which <c>{0}</c>, <c>{1}</c>, ... stand for the values, to be put anywhere in the same statement.</summary>
    internal string Text(string sql, params object[] given)
    {
        var names = new object[given.Length];
        for (var i = 0; i < given.Length; i++)
        {
            values.Add(given[i]);
            names[i] = $"${values.Count}";
        }
        return string.Format(CultureInfo.InvariantCulture, sql, names);
    }

    internal void AddTo(NpgsqlCommand command) => AddTo(command.Parameters);

    internal void AddTo(NpgsqlParameterCollection parameters)
    {
        foreach (var value in values) parameters.Add(value as NpgsqlParameter is { } parameter ? parameter.Clone() : new() { Value = value });
    }

    internal NpgsqlBatchCommand ToCommand(string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        AddTo(command.Parameters);
        return command;
    }
}
